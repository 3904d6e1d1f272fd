import type { Adapter, AdapterPayload } from 'oidc-provider'

/** What node-oidc-provider keeps, in memory: shared by providers that follow each other, with new keys. */
export function aProviderStore(): (model: string) => Adapter {
  const records = new Map<string, AdapterPayload>()
  const found = (model: string, fits: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
    [...records].find(([key, payload]) => key.startsWith(`${model} `) && fits(payload))?.[1]
  return (model) => ({
    async upsert(id, payload) {
      records.set(`${model} ${id}`, payload)
    },
    find: async (id) => records.get(`${model} ${id}`),
    findByUid: async (uid) => found(model, (payload) => payload.uid === uid),
    findByUserCode: async (userCode) => found(model, (payload) => payload.userCode === userCode),
    async consume(id) {
      const payload = records.get(`${model} ${id}`)
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      records.delete(`${model} ${id}`)
    },
    async revokeByGrantId(grantId) {
      for (const [key, payload] of records)
        if (key.startsWith(`${model} `) && payload.grantId === grantId) records.delete(key)
    },
  })
}
