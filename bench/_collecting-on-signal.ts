import { Session } from 'node:inspector'

/* Loaded before a program whose memory is weighed: with SIGUSR2, which does nothing else to it, V8 collects all garbage. */
const session = new Session()
session.connect()
process.on('SIGUSR2', () => session.post('HeapProfiler.collectGarbage'))
