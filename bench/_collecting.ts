import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/*
 * Loaded before a program whose memory is watched: all garbage is collected every half minute. Left to itself V8 lets 40 MB come and go,
 * more than twenty minutes of any growth that matters.
 */
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
setInterval(collect, 30_000).unref()
