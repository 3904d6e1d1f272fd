import { z } from 'zod'
import { text } from './values.js'

/** Whose pages may show a frontend's page in a frame. */
export const embedding = z
  .strictObject({
    Origins: z
      .array(text)
      .default([])
      .meta({
        description: 'Exactly, as browsers send them: https only, no patterns.',
        examples: [['https://portal.example']],
      }),
  })
  .meta({
    description:
      'Pages of other sites that may show this frontend in a frame. Its cookies become `SameSite=None; Partitioned`. Not beside `ClientUrl`, `Cors`, `RequireLogin` "Page" and `SecurityHeaders` "None". Default: no page may.',
    required: ['Origins'],
  })
