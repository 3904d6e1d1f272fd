import { Session } from 'node:inspector'
import { setFlagsFromString } from 'node:v8'

/*
 * Loaded before a program whose memory is watched. V8 lets 40 MB of garbage and of holes between pages come and go, so this module has
 * V8 collect all garbage every ten seconds. V8 also throws away the bytecode of functions that have not run for a few
 * collections, and compiles them again at their next call. With a collection every ten seconds that would never stop, so V8 keeps it.
 */
setFlagsFromString('--no-flush-bytecode')
const session = new Session()
session.connect()
setInterval(() => session.post('HeapProfiler.collectGarbage'), 10_000).unref()
