import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Java's own client as it comes: over plain http it offers `h2c` with every request. */
const source = `
import java.net.URI;
import java.net.http.*;

public class Probe {
  public static void main(String[] calls) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (String call : calls) {
      String[] parts = call.split(" ", 3);
      HttpRequest.BodyPublisher body =
        parts.length > 2 ? HttpRequest.BodyPublishers.ofString(parts[2]) : HttpRequest.BodyPublishers.noBody();
      HttpRequest request = HttpRequest.newBuilder(URI.create(parts[1])).method(parts[0], body)
        .header("Content-Type", "application/x-www-form-urlencoded").header("X-CSRF", "1").build();
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(response.statusCode() + " " + response.body().replace("\\n", " "));
    }
  }
}
`

/** The version of the JDK that is there, if one is. */
export async function javaVersion(): Promise<string | undefined> {
  return run('java', ['--version']).then(
    ({ stdout }) => stdout.split('\n')[0],
    () => undefined,
  )
}

/** Makes each call (`GET url`, `POST url body`) and returns status and body, each in one line. */
export async function callByJava(calls: readonly string[]): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-java-'))
  try {
    const file = join(folder, 'Probe.java')
    await writeFile(file, source)
    const { stdout } = await run('java', ['-XX:TieredStopAtLevel=1', file, ...calls], { maxBuffer: 10_000_000 })
    return stdout.trimEnd().split('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}
