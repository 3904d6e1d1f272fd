import { existsSync } from 'node:fs'

/** The library that tells a program another time, where it is installed. */
export const faketime = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((platform) => `/usr/lib/${platform}/faketime/libfaketime.so.1`)
  .find(existsSync)
