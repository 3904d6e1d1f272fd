import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { check } from '../../src/cli/check.js'
import { seconds } from '../../src/config/duration.js'
import { jsonSchema } from '../../src/config/schema/schema.js'
import { timeoutDefaults } from '../../src/gateway/defaults.js'
import { listenerLimitDefaults } from '../../src/http/listener-limits.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { selfSigned } from '../http/_self-signed.js'
import {
  documentsIn,
  installed,
  kubernetesSchema,
  type Manifest,
  problemsOfCompose,
  problemsOfManifest,
  run,
} from './_manifests.js'

const [helm, kubeconform, systemdAnalyze, nginx] = await Promise.all(
  ['helm', 'kubeconform', 'systemd-analyze', 'nginx'].map(installed),
)
const withHelm = helm === undefined ? test.skip : test
const withKubeconform = kubeconform === undefined ? test.skip : test
const withNginx = nginx === undefined ? test.skip : test
const withSystemd = systemdAnalyze === undefined ? test.skip : test

const read = (file: string): Promise<string> => readFile(join('deploy', file), 'utf8')
const compose: Manifest = documentsIn(await read('compose.yaml'))[0]
const dockerfile = await readFile('Dockerfile', 'utf8')
/** The variables that the image sets. */
const imageEnvironment = Object.fromEntries(
  [...dockerfile.matchAll(/(Server__\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
)

const charts = ['gateway', 'sidecar'] as const
async function rendered(mode: (typeof charts)[number], ...more: string[]): Promise<string> {
  const values = ['--set', `mode=${mode}`, ...more]
  const template = ['template', 'shop', 'deploy/helm/sallyport', '--kube-version', '1.34', ...values]
  return (await run(helm ?? '', template)).stdout
}

test('compose.yaml is what the Compose Specification allows', async (t) => {
  t.is(await problemsOfCompose(compose), undefined)
})

for (const file of ['gateway', 'sidecar'])
  test(`the manifests of ${file}.yaml are what Kubernetes allows, and their pods are locked`, async (t) => {
    areGood(t, await read(`kubernetes/${file}.yaml`))
  })

for (const mode of charts)
  withHelm(`the chart as ${mode} passes helm lint, and its manifests are what Kubernetes allows`, async (t) => {
    await t.notThrowsAsync(run(helm ?? '', ['lint', '--strict', '--set', `mode=${mode}`, 'deploy/helm/sallyport']))
    areGood(t, await rendered(mode, '--set', 'ingress.className=nginx,ingress.tlsSecret=tls'))
    areGood(t, await rendered(mode, '--set', 'replicas=1,state.claim=state,secret=,networkPolicy.enabled=false'))
  })

withHelm('a chart value that does not exist is refused by name', async (t) => {
  await t.throwsAsync(rendered('gateway', '--set', 'replcas=3'), { message: /replcas/ })
})

withKubeconform('kubeconform says the same of all manifests', async (t) => {
  const folder = await aFolder(t)
  const { kinds, definitions } = await kubernetesSchema()
  for (const [kind, name] of Object.entries(kinds))
    await writeFile(
      join(folder, `${kind.toLowerCase()}.json`),
      JSON.stringify({ $ref: `#/definitions/${name}`, definitions }),
    )
  const files = ['deploy/kubernetes/gateway.yaml', 'deploy/kubernetes/sidecar.yaml']
  for (const mode of helm === undefined ? [] : charts) {
    const file = join(folder, `${mode}.yaml`)
    await writeFile(file, await rendered(mode))
    files.push(file)
  }
  const schemas = ['-schema-location', join(folder, '{{.ResourceKind}}.json')]
  await t.notThrowsAsync(run(kubeconform ?? '', ['-strict', '-summary', ...schemas, ...files]))
})

for (const service of ['gateway-1', 'gateway-2', 'api'])
  test(`the configuration that compose.yaml mounts into ${service} is right`, async (t) => {
    const { volumes = [], secrets = [] } = compose.services[service]
    const source = volumes.find((volume: string) => volume.includes(':/etc/sallyport/frontends.json'))?.split(':')[0]
    const folder = await aFolder(t)
    const { cert } = await selfSigned()
    const contents: Record<string, string> = {
      sealing_key: randomBytes(32).toString('base64url'),
      redis_url: 'redis://:password@redis:6379',
      certificate: cert,
    }
    for (const name of secrets) await writeFile(join(folder, name), contents[name] ?? '')
    const text = (await read(source)).replaceAll('/run/secrets/', `${folder}/`)
    await isRight(t, text.replaceAll('/srv/spa', join(process.cwd(), 'samples/spa')), imageEnvironment)
  })

for (const file of ['gateway', 'sidecar'])
  test(`the configuration of kubernetes/${file}.yaml is right`, async (t) => {
    await mountsWhatIsRight(t, await read(`kubernetes/${file}.yaml`))
  })

for (const mode of charts)
  withHelm(`the configuration of the chart as ${mode} is right`, async (t) => {
    await mountsWhatIsRight(t, await rendered(mode))
  })

test('the image is pinned, runs as a number that is not root, and becomes healthy whatever the file says', (t) => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
  t.is(new Set(bases).size, 1)
  t.regex(bases[0] ?? '', /^node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/)
  t.regex(dockerfile, /^USER 1000:1000$/m)
  t.deepEqual(imageEnvironment, {
    Server__Listen: '0.0.0.0:3000',
    Server__AdminListen: '127.0.0.1:9464',
    Server__StateDirectory: '/var/lib/sallyport',
  })
})

test('what stands in front closes idle connections first, waits longer than a route may be silent, and takes the same headers', async (t) => {
  const [nginx, haproxy, caddy] = await Promise.all(['nginx.conf', 'haproxy.cfg', 'Caddyfile'].map(read))
  const sidecar = await read('kubernetes/sidecar.yaml')
  const chart = await read('helm/sallyport/templates/configmap.yaml')
  const least = listenerLimitDefaults.keepAliveTimeout - 10
  const inSeconds = (text = '', pattern: RegExp): number => Number(pattern.exec(text)?.[1])
  for (const file of [nginx, sidecar, chart]) {
    t.true(inSeconds(file, /keepalive_timeout\s+(\d+)s/) <= least)
    t.true(inSeconds(file, /proxy_read_timeout\s+(\d+)s/) > timeoutDefaults.idle)
    t.is(inSeconds(file, /large_client_header_buffers \d+ (\d+)k/) * 1024, listenerLimitDefaults.headerBytes)
  }
  t.true(inSeconds(caddy, /keepalive (\d+)s/) <= least)
  t.true(inSeconds(haproxy, /pool-purge-delay (\d+)s/) <= least)
  for (const name of ['client', 'server', 'tunnel'])
    t.true(inSeconds(haproxy, new RegExp(`timeout ${name} (\\d+)s`)) > timeoutDefaults.idle)
  t.true(inSeconds(haproxy, /tune\.bufsize (\d+)/) > listenerLimitDefaults.headerBytes)
})

withNginx('nginx takes the files of the sidecars', async (t) => {
  const folder = await aFolder(t)
  const texts = [await read('kubernetes/sidecar.yaml'), ...(helm === undefined ? [] : [await rendered('sidecar')])]
  for (const text of texts) {
    const { data } = documentsIn(text).find(({ kind }) => kind === 'ConfigMap')
    await writeFile(join(folder, 'default.conf'), data['default.conf'])
    const around = `pid ${folder}/pid; error_log stderr; events {} http { access_log off; include ${folder}/default.conf; }`
    await writeFile(join(folder, 'nginx.conf'), around)
    await t.notThrowsAsync(run(nginx ?? '', ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')]))
  }
})

withSystemd('systemd takes the unit, and finds it locked', async (t) => {
  const { stdout, stderr } = await run(systemdAnalyze ?? '', ['verify', 'deploy/sallyport.service']).catch((e) => e)
  // Whether the program is installed at that place is another matter.
  t.is(`${stdout}${stderr}`.replaceAll(/^.*is not executable: No such file or directory\n/gm, ''), '')
  const assess = ['security', '--offline=true', '--threshold=15', 'deploy/sallyport.service']
  await t.notThrowsAsync(run(systemdAnalyze ?? '', assess))
  t.true(inUnit(await read('sallyport.service')) > drainSeconds())
})

function inUnit(unit: string): number {
  return Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1])
}

/** How long the program may take to end: what waits for it has to have more. */
function drainSeconds(): number {
  const { properties = {} } = jsonSchema.properties?.Server ?? {}
  return ['DrainDelay', 'DrainTimeout'].reduce(
    (sum, name) => sum + seconds(String(properties[name]?.default ?? '00:00:00')),
    0,
  )
}

function areGood(t: ExecutionContext, text: string): void {
  const manifests = documentsIn(text)
  for (const manifest of manifests)
    t.is(problemsOfManifest(manifest), undefined, `${manifest.kind} ${manifest.metadata.name}`)
  const [{ spec: pod }] = manifests.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.template)
  t.false(pod.automountServiceAccountToken)
  t.true(pod.terminationGracePeriodSeconds > drainSeconds())
  t.like(pod.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const security = { ...pod.securityContext, ...container.securityContext }
    t.true(Number.isInteger(security.runAsUser) && security.runAsUser > 0, container.name)
    t.true(security.readOnlyRootFilesystem)
    t.false(security.allowPrivilegeEscalation)
    t.deepEqual(security.capabilities, { drop: ['ALL'] })
    t.truthy(container.resources.requests.cpu)
    t.truthy(container.resources.limits.memory)
    t.truthy(container.readinessProbe)
  }
}

/** `check` of the configuration in the ConfigMap, with the variables of the container and of the Secret. */
async function mountsWhatIsRight(t: ExecutionContext, text: string): Promise<void> {
  const manifests = documentsIn(text)
  const { data } = manifests.find(({ kind }) => kind === 'ConfigMap')
  const { spec } = manifests.find(({ kind }) => kind === 'Deployment').spec.template
  const container = [...(spec.initContainers ?? []), ...spec.containers].find(({ name }) => name === 'sallyport')
  const own = Object.fromEntries(container.env.map(({ name, value }: Manifest) => [name, value]))
  await isRight(t, data['frontends.json'], {
    ...imageEnvironment,
    ...own,
    SEALING_KEY: randomBytes(32).toString('base64url'),
    REDIS_URL: 'rediss://user:password@redis.example.internal:6379',
    CLIENT_KEY: JSON.stringify(generateSigningJwk('ES256')),
  })
}

async function isRight(t: ExecutionContext, text: string, environment: Record<string, string>): Promise<void> {
  const file = join(await aFolder(t), 'frontends.json')
  await writeFile(file, text)
  let printed = ''
  const output = { write: (chunk: string) => (printed += chunk) }
  t.true(await check({ file, network: 'none', format: 'text', environment, output }), printed)
  t.notRegex(printed, /warn|note/i)
}

async function aFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-deploy-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await mkdir(folder, { recursive: true })
  return folder
}
