import { type Html, html } from '../../http/page.js'
import type { Texts } from './languages/texts.js'

/** What a page shows. It is put into our frame: brand, styles, security headers. */
export interface PageContent {
  /** Of the browser's tab, as plain text. */
  readonly title: string
  /** What is below the brand, as `html` makes it. */
  readonly content: Html
}

/** What every page has. */
interface PageModel {
  /** In the user's language. */
  readonly texts: Texts
}

/** A page with a form. Whatever is rendered, the form posts `fields` to `action`. */
interface FormPage extends PageModel {
  /** Where the form goes. It posts. */
  readonly action: string
  /** Hidden inputs, by name. */
  readonly fields: Readonly<Record<string, string>>
}

/** Inputs `username` and `password`; buttons named `action` with the values `sign-in` and `cancel`. */
export interface SignInPage extends FormPage {
  /** The client's name, for people. */
  readonly client: string
  /** What was typed last; empty at first. */
  readonly username: string
  /** Why the user is asked again, in the user's language. */
  readonly problem?: string
}

/** Buttons named `action` with the values `allow`, `cancel` and `switch-user`. */
export interface ConsentPage extends FormPage {
  /** The client's name, for people. */
  readonly client: string
  /** Who is signed in. */
  readonly username: string
  /** Where the user goes afterwards. */
  readonly host: string
  /** What the client asks for. */
  readonly scopes: readonly ConsentScope[]
  /** What it asks for besides (RFC 9396); empty: nothing. A page has to show all of it. */
  readonly details: readonly ConsentDetail[]
  /** The APIs that these can be used at; empty: those of every client. */
  readonly resources: readonly string[]
}

/** One thing that the client asks for. */
export interface ConsentScope {
  /** As the client wrote it. */
  readonly name: string
  /** What the user reads. */
  readonly displayName: string
}

/** One element of `authorization_details`. */
export interface ConsentDetail {
  /** What kind it is. */
  readonly type: string
  /** What the user reads. */
  readonly text: string
}

/** Buttons named `action` with the values `sign-out` and `stay`. */
export interface SignOutPage extends FormPage {
  /** Who is signed in. */
  readonly username: string
}

/** After signing out, or after staying. */
export interface SignedOutPage extends PageModel {
  /** False: the user has chosen to stay. */
  readonly signedOut: boolean
}

/** Why a client's request cannot be served, where the client itself cannot be told. */
export interface ErrorPage extends PageModel {
  /** An OAuth error code. */
  readonly code: string
  /** For the developer of the client, in English. */
  readonly description: string
  /** What the person can do about it, where that is known. */
  readonly advice?: string
  /** By which the log knows it. */
  readonly requestId: string
}

/** Every page of the server. Replace one by a function that returns its content. */
export interface Pages {
  /** Asks for username and password. */
  signIn(page: SignInPage): PageContent
  /** Asks whether a client may. */
  consent(page: ConsentPage): PageContent
  /** Asks whether to sign out. */
  signOut(page: SignOutPage): PageContent
  /** Says what has become of it. */
  signedOut(page: SignedOutPage): PageContent
  /** Says what is wrong. */
  error(page: ErrorPage): PageContent
}

/** The pages as they come: what a page of your own can fall back on, or look like. */
export const pages: Pages = {
  signIn: ({ texts, action, fields, client, username, problem }) => ({
    title: texts.signIn,
    content: html`<h1>${texts.signIn}</h1>
<p class="soft">${texts.toContinueTo(client)}</p>
${problem !== undefined && html`<p class="alert" role="alert" id="problem">${problem}</p>`}
<form method="post" action="${action}">
${hidden(fields)}
<label for="username">${texts.username}</label>
<input id="username" name="username" type="text" value="${username}" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="256" required${flag('autofocus', username === '')}${describedBy(problem)}>
<label for="password">${texts.password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required${flag('autofocus', username !== '')}${describedBy(problem)}>
<button id="sign-in" name="action" value="sign-in">${texts.signIn}</button>
<button id="cancel" name="action" value="cancel" class="quiet" formnovalidate>${texts.cancel}</button>
</form>`,
  }),

  consent: ({ texts, action, fields, client, username, host, scopes, details, resources }) => ({
    title: texts.allowTitle(client),
    content: html`<h1>${texts.allowTitle(client)}</h1>
<p class="soft">${texts.wantsTo}</p>
<ul>
${details.map(({ text }) => html`<li><strong>${text}</strong></li>\n`)}${scopes.map(({ displayName }) => html`<li>${displayName}</li>\n`)}</ul>
${resources.length > 0 && html`<p class="soft">${texts.usedAt}</p>\n<ul>\n${resources.map((name) => html`<li>${name}</li>\n`)}</ul>`}
<form method="post" action="${action}">
${hidden(fields)}
<button id="allow" name="action" value="allow">${texts.allow}</button>
<button id="cancel" name="action" value="cancel" class="quiet">${texts.deny}</button>
<p class="small soft note">${texts.willSendYouTo(host)}<br>${texts.signedInAs} <strong>${username}</strong>. <button id="switch-user" name="action" value="switch-user" class="link">${texts.notYou}</button></p>
</form>`,
  }),

  signOut: ({ texts, action, fields, username }) => ({
    title: texts.signOutTitle,
    content: html`<h1>${texts.signOutTitle}</h1>
<p class="soft">${texts.signedInAs} <strong>${username}</strong>.</p>
<p>${texts.signOutQuestion}</p>
<form method="post" action="${action}">
${hidden(fields)}
<button id="sign-out" name="action" value="sign-out">${texts.signOut}</button>
<button id="stay" name="action" value="stay" class="quiet">${texts.staySignedIn}</button>
</form>`,
  }),

  signedOut: ({ texts, signedOut }) => ({
    title: signedOut ? texts.signedOutTitle : texts.stillSignedInTitle,
    content: html`<h1>${signedOut ? texts.signedOutTitle : texts.stillSignedInTitle}</h1>
<p class="soft">${texts.signedOutAdvice}</p>`,
  }),

  error: ({ texts, code, description, advice, requestId }) => ({
    title: texts.errorTitle,
    content: html`<h1>${texts.errorTitle}</h1>
<p>${advice ?? (code === 'temporarily_unavailable' ? texts.unavailable : (texts.errors[code] ?? texts.errors.invalid_request))}</p>
<p class="soft">${code !== 'temporarily_unavailable' && texts.errorAdvice}</p>
<dl><dt>${texts.details}</dt><dd>${code}: ${description}</dd><dt>${texts.request}</dt><dd>${requestId}</dd></dl>`,
  }),
}

function hidden(fields: Readonly<Record<string, string>>): readonly Html[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)
}

function flag(name: string, on: boolean): Html {
  return { markup: on ? ` ${name}` : '' }
}

function describedBy(problem: string | undefined): Html {
  return { markup: problem === undefined ? '' : ' aria-describedby="problem"' }
}
