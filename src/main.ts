#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { program } from './cli/program.js'

// V8 counts the buffers of bodies as in use until a thread of its own has freed them. Under large bodies that count runs
// ahead of the truth and starts one full collection after the other: 2.5 times the processor time, measured. Freed by the
// thread that collects, they are gone when it looks.
setFlagsFromString('--no-concurrent-array-buffer-sweeping')

// Who reads what we say may go at any time: that ends neither a command nor a server.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)

await program().parseAsync()
