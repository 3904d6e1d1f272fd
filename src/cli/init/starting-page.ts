/** A page to start with: it signs in and out, and shows who is signed in. Its script is a file, as the policy wants it. */
export const startingPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>It works</title>
<style>
body { max-width: 34rem; margin: 15vh auto; padding: 0 1.25rem; font: 1rem/1.6 system-ui, sans-serif }
a { display: inline-block; padding: .55rem 1.1rem; border: 1px solid; border-radius: .6rem; text-decoration: none }
pre { overflow: auto; padding: 1rem; border-radius: .6rem; background: color-mix(in srgb, currentColor 8%, transparent) }
</style>
</head>
<body>
<h1>It works</h1>
<p id="who">Looking who is signed in …</p>
<p><a id="door" href="bff/login">Sign in</a></p>
<pre id="claims" hidden></pre>
<p><small>This page is spa/index.html and spa/start.js: put your built application there.</small></p>
<script type="module" src="start.js"></script>
</body>
</html>
`

export const startingScript = `// What a page has to know of its gateway: send X-CSRF with every call, and send the browser to bff/login to sign in.
const user = await fetch('bff/user', { headers: { 'X-CSRF': '1' } }).then((answer) => answer.json())
const { authenticated, logoutUrl, sessionExpiresAt, ...claims } = user
const find = (id) => document.getElementById(id)
find('who').textContent = authenticated ? \`Signed in as \${claims.name ?? claims.sub}.\` : 'You are not signed in.'
if (authenticated) {
  Object.assign(find('door'), { href: logoutUrl, textContent: 'Sign out' })
  Object.assign(find('claims'), { hidden: false, textContent: JSON.stringify(claims, null, 2) })
}
`
