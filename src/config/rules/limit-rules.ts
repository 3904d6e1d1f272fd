import { signInLimitDefaults } from '../../authorization-server/defaults.js'
import { loginLimitDefaults } from '../../gateway/defaults.js'
import { durationOf, seconds } from '../duration.js'
import { problem, type Rule } from './rule.js'

export const limitRules: readonly Rule[] = [
  function* windowsTakeTime({ bff, authorizationServer: server }) {
    const windows = [
      ['/Bff/LoginLimits/Window', bff?.LoginLimits.Window, loginLimitDefaults.window],
      [`${server?.pointer}/SignInLimits/Window`, server?.settings.SignInLimits.Window, signInLimitDefaults.window],
    ] as const
    for (const [pointer, window, usual] of windows)
      if (window !== undefined && seconds(window) < 1)
        yield problem(
          pointer,
          'is no time at all, so that nothing would be limited',
          `Write it as in "${durationOf(usual)}".`,
        )
  },
]
