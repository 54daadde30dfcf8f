// The account's database as the app sees it: the same calls as on IndexedDB, with everything sealed on its way in and opened on its way out.
import type { IDBPDatabase, IDBPTransaction } from 'idb'
import { inPieces } from '../breath'
import type { AccountSchema, StoreName } from './schema'
import type { Sealer } from './sealer'
import { PAIRS, SHELVES, type Shelf } from './shelves'

type Key<S extends StoreName> = AccountSchema[S]['key']
type Value<S extends StoreName> = AccountSchema[S]['value']
type IndexName<S extends StoreName> = AccountSchema[S] extends { indexes: infer I } ? keyof I & string : never
type IndexKey<S extends StoreName, N> = AccountSchema[S] extends { indexes: infer I } ? (N extends keyof I ? I[N] : never) : never
/** Ranges go through as they are: whoever makes one knows how the store looks on disk. */
type Asked<K> = K | IDBKeyRange | null | undefined

interface Source {
  get(key: IDBValidKey): Promise<unknown>
  getAll(query?: IDBValidKey | IDBKeyRange | null, count?: number): Promise<unknown[]>
  getAllKeys(query?: IDBValidKey | IDBKeyRange | null, count?: number): Promise<IDBValidKey[]>
  count(query?: IDBValidKey | IDBKeyRange | null): Promise<number>
}
interface Target extends Source {
  put(value: unknown, key?: IDBValidKey): Promise<unknown>
  add(value: unknown, key?: IDBValidKey): Promise<unknown>
  delete(key: IDBValidKey | IDBKeyRange): Promise<void>
  clear(): Promise<void>
  index(name: string): Source
}

const isRange = (asked: unknown): asked is IDBKeyRange => typeof IDBKeyRange !== 'undefined' && asked instanceof IDBKeyRange

/** What a store and an index of it have in common. */
class Reading<S extends StoreName, K> {
  constructor(
    protected store: S,
    protected sealer: Sealer,
    protected from: Source,
    protected shelf: Shelf,
    private keyed: (asked: K) => IDBValidKey,
  ) {}

  protected asked(asked: Asked<K>): IDBValidKey | IDBKeyRange | null {
    if (asked === null || asked === undefined) return null
    return isRange(asked) ? asked : this.keyed(asked)
  }

  private opened(row: unknown): Value<S> | undefined {
    if (row === undefined) return undefined
    const value = this.shelf.get(this.sealer, row as never)
    return (PAIRS.has(this.store) ? (value as [unknown, unknown])[1] : value) as Value<S>
  }

  async get(key: K): Promise<Value<S> | undefined> {
    return this.opened(await this.from.get(this.keyed(key)))
  }

  async getAll(query?: Asked<K>, count?: number): Promise<Value<S>[]> {
    return (await this.from.getAll(this.asked(query), count)).map((row) => this.opened(row)!)
  }

  /** As `getAll`, opened piece by piece: only for who needs the transaction no more, which ends meanwhile. */
  async getMany(query?: Asked<K>, count?: number): Promise<Value<S>[]> {
    return inPieces(await this.from.getAll(this.asked(query), count), (row) => this.opened(row)!)
  }

  /** The keys as the app knows them: on disk they are blinded, so the rows are opened for them. */
  async getAllKeys(query?: Asked<K>, count?: number): Promise<Key<S>[]> {
    if (this.store === 'blobs') return (await this.from.getAllKeys(this.asked(query), count)) as Key<S>[]
    const rows = await this.from.getAll(this.asked(query), count)
    return rows.map((row) => this.shelf.named(this.shelf.get(this.sealer, row as never) as never) as Key<S>)
  }

  count(query?: Asked<K>): Promise<number> {
    return this.from.count(this.asked(query))
  }
}

export class SealedStore<S extends StoreName> extends Reading<S, Key<S>> {
  constructor(store: S, sealer: Sealer, private to: Target) {
    const shelf = SHELVES[store]
    super(store, sealer, to, shelf, (key) => shelf.key(sealer, key as never))
  }

  async put(value: Value<S>, key?: Key<S>): Promise<void> {
    await this.to.put(...this.shelf.put(this.sealer, value as never, key as never))
  }

  async add(value: Value<S>, key?: Key<S>): Promise<void> {
    await this.to.add(...this.shelf.put(this.sealer, value as never, key as never))
  }

  async delete(key: Key<S> | IDBKeyRange): Promise<void> {
    await this.to.delete(this.asked(key)!)
  }

  clear(): Promise<void> {
    return this.to.clear()
  }

  index<N extends IndexName<S>>(name: N): Reading<S, IndexKey<S, N>> {
    const { store, sealer, shelf } = this
    const keyed = shelf.index?.[name] ?? ((_: Sealer, asked: unknown) => asked as IDBValidKey)
    return new Reading(store, sealer, this.to.index(name), shelf, (asked) => keyed(sealer, asked as never))
  }
}

export class SealedTx {
  constructor(private tx: IDBPTransaction<unknown, string[], IDBTransactionMode>, private sealer: Sealer) {}

  get done(): Promise<void> {
    return this.tx.done
  }

  abort(): void {
    this.tx.abort()
  }

  objectStore<S extends StoreName>(name: S): SealedStore<S> {
    return new SealedStore(name, this.sealer, this.tx.objectStore(name) as unknown as Target)
  }
}

export class SealedDb {
  constructor(readonly raw: IDBPDatabase, readonly sealer: Sealer) {}

  get name(): string {
    return this.raw.name
  }

  close(): void {
    this.raw.close()
  }

  transaction(stores: StoreName[], mode: IDBTransactionMode = 'readonly', options?: IDBTransactionOptions): SealedTx {
    return new SealedTx(this.raw.transaction(stores, mode, options), this.sealer)
  }

  private store<S extends StoreName>(name: S, mode?: IDBTransactionMode): SealedStore<S> {
    return this.transaction([name], mode).objectStore(name)
  }

  get<S extends StoreName>(store: S, key: Key<S>): Promise<Value<S> | undefined> {
    return this.store(store).get(key)
  }

  getAll<S extends StoreName>(store: S, query?: Asked<Key<S>>, count?: number): Promise<Value<S>[]> {
    return this.store(store).getMany(query, count)
  }

  getAllKeys<S extends StoreName>(store: S): Promise<Key<S>[]> {
    return this.store(store).getAllKeys()
  }

  count(store: StoreName): Promise<number> {
    return this.store(store).count()
  }

  getAllFromIndex<S extends StoreName, N extends IndexName<S>>(
    store: S, index: N, query?: Asked<IndexKey<S, N>>, count?: number,
  ): Promise<Value<S>[]> {
    return this.store(store).index(index).getMany(query, count)
  }

  getAllKeysFromIndex<S extends StoreName, N extends IndexName<S>>(
    store: S, index: N, query?: Asked<IndexKey<S, N>>,
  ): Promise<Key<S>[]> {
    return this.store(store).index(index).getAllKeys(query)
  }

  countFromIndex<S extends StoreName, N extends IndexName<S>>(
    store: S, index: N, query?: Asked<IndexKey<S, N>>,
  ): Promise<number> {
    return this.store(store).index(index).count(query)
  }

  async put<S extends StoreName>(store: S, value: Value<S>, key?: Key<S>): Promise<void> {
    const tx = this.transaction([store], 'readwrite')
    await Promise.all([tx.objectStore(store).put(value, key), tx.done])
  }

  async delete<S extends StoreName>(store: S, key: Key<S>): Promise<void> {
    const tx = this.transaction([store], 'readwrite')
    await Promise.all([tx.objectStore(store).delete(key), tx.done])
  }

  async clear(store: StoreName): Promise<void> {
    const tx = this.transaction([store], 'readwrite')
    await Promise.all([tx.objectStore(store).clear(), tx.done])
  }
}
