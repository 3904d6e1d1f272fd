import { Session } from 'node:inspector'
import { setFlagsFromString } from 'node:v8'

/*
 * Loaded before a program whose memory is watched, so that what grows is what the program keeps: by itself V8 lets 40 MB of garbage
 * and of holes between pages come and go. Every ten seconds everything is collected that can be. What has not run for some
 * collections V8 would throw away and compile anew, for ever when it collects that often: so what is compiled is kept.
 */
setFlagsFromString('--no-flush-bytecode')
const session = new Session()
session.connect()
setInterval(() => session.post('HeapProfiler.collectGarbage'), 10_000).unref()
