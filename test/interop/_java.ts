import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { cache } from './_cache.js'
import { brought, type Running, start } from './_processes.js'

const source = resolve('test/interop/java')
const project = readFileSync(join(source, 'pom.xml'), 'utf8')
export const springBootVersion = versionOf('spring-boot-starter-parent')
export const nimbusVersion = versionOf('oauth2-oidc-sdk')

const files = ['pom.xml', 'AuthorizationServer.java', 'ResourceServer.java', 'NimbusClient.java']

/** Starts one of the classes in `java/`. @param settings System properties. */
export type StartJava = (
  main: 'AuthorizationServer' | 'ResourceServer' | 'NimbusClient',
  settings?: Readonly<Record<string, string>>,
  parameters?: readonly string[],
) => Running

/** The programs in `java/`, compiled. @throws NotHere */
export async function javaPrograms(): Promise<StartJava> {
  const folder = await compiled()
  const classPath = `${join(folder, 'classes')}:${(await readFile(join(folder, 'classpath'), 'utf8')).trim()}`
  return (main, settings = {}, parameters = []) => {
    const properties = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
    return start(
      'java',
      ['-Xmx512m', '-XX:TieredStopAtLevel=1', ...properties, '-cp', classPath, main, ...parameters],
      {
        cwd: folder,
      },
    )
  }
}

/** With what they need from Maven Central, once for each state of the files. */
async function compiled(): Promise<string> {
  const digest = createHash('sha256')
  for (const file of files) digest.update(await readFile(join(source, file)))
  const folder = join(await cache('java'), digest.digest('hex').slice(0, 16))
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${process.pid}`
  await mkdir(unfinished)
  try {
    for (const file of files) await copyFile(join(source, file), join(unfinished, file))
    const classPath = ['-q', '-B', 'dependency:build-classpath', '-Dmdep.outputFile=classpath']
    await brought('what pom.xml names', 'mvn', classPath, unfinished)
    const libraries = (await readFile(join(unfinished, 'classpath'), 'utf8')).trim()
    const sources = files.filter((file) => file.endsWith('.java'))
    await brought(
      'a Java compiler',
      'javac',
      ['-J-Xmx512m', '-proc:none', '-cp', libraries, '-d', 'classes', ...sources],
      unfinished,
    )
    await rename(unfinished, folder)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return folder
}

function versionOf(artifact: string): string {
  return new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>([^<]+)`).exec(project)?.[1] ?? 'unknown'
}
