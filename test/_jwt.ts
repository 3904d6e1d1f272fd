/** A JWT within a text. Three letters alone are no sign of one: they come about by chance in random values. */
export const aJwt = /eyJ[\w-]{8,}\.[\w-]{8,}\./
