import type { Adapter, AdapterPayload } from 'oidc-provider'

const entries = new Map<string, AdapterPayload>()
const grants = new Map<string, Set<string>>()

/** Forgets nothing: node-oidc-provider's own keeps about 1,000 entries, which are fewer than 200 sessions have. */
export class MapAdapter implements Adapter {
  readonly #model: string
  constructor(model: string) {
    this.#model = model
  }
  #key(id: string): string {
    return `${this.#model}:${id}`
  }
  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    const key = this.#key(id)
    entries.set(key, payload)
    if (this.#model === 'Session' && payload.uid !== undefined) entries.set(`uid:${payload.uid}`, payload)
    if (payload.grantId === undefined) return
    const keys = grants.get(payload.grantId) ?? new Set()
    grants.set(payload.grantId, keys.add(key))
  }
  async find(id: string): Promise<AdapterPayload | undefined> {
    return entries.get(this.#key(id))
  }
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return entries.get(`uid:${uid}`)
  }
  async findByUserCode(): Promise<undefined> {}
  async consume(id: string): Promise<void> {
    const entry = entries.get(this.#key(id))
    if (entry !== undefined) entry.consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id: string): Promise<void> {
    entries.delete(this.#key(id))
  }
  async revokeByGrantId(grantId: string): Promise<void> {
    for (const key of grants.get(grantId) ?? []) entries.delete(key)
    grants.delete(grantId)
  }
}
