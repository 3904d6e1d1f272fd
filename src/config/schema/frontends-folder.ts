import { text } from './values.js'

export const frontendsFolder = text.optional().meta({
  description:
    'Folder with more frontends: each file in it that ends in `.json` is one, with what an entry of `Frontends` has. Relative paths in such a file start at the folder.',
  examples: ['./frontends.d'],
})
