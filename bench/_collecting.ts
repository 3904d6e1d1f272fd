import { Session } from 'node:inspector'
import { setFlagsFromString } from 'node:v8'

/*
 * Loaded before a program whose memory is watched, so that what grows is what the program keeps. V8 by itself lets 40 MB of garbage and of
 * holes between pages come and go, and compiles functions that are called now and then for hours: 93 of 100 bytes by which a heap grew in
 * 13 minutes. So nothing is compiled for speed, and every ten seconds everything is collected that can be.
 */
setFlagsFromString('--no-opt')
setFlagsFromString('--no-sparkplug')
const session = new Session()
session.connect()
setInterval(() => session.post('HeapProfiler.collectGarbage'), 10_000).unref()
