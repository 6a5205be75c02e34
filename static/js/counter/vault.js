// What this device keeps at the counter: IndexedDB, each record sealed with AES-GCM under a key that the
// browser uses but never gives out. A record's name is sealed with it, so that none can take another's place.

const STORES = ["keys", "sealed"];

const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const open = (name) => {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => { for (const one of STORES) request.result.createObjectStore(one); };
  return answer(request);
};

export class Vault {
  // One a store: two stores on one device keep apart.
  static async open(name) {
    const database = await open(`counter-${name}`);
    const vault = new Vault();
    vault.database = database;
    vault.key = await vault.ask("keys", "readonly", (rows) => rows.get("key")) || await vault.newKey();
    return vault;
  }

  // What `work` asked of one object store, once it is written to disk.
  ask(store, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(store, mode, { durability: "strict" });
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  async newKey() {
    const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    // Of two tabs that open at once the first one's key stays.
    await this.ask("keys", "readwrite", (rows) => rows.add(fresh, "key")).catch(() => {});
    return this.ask("keys", "readonly", (rows) => rows.get("key"));
  }

  async put(name, value) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const additionalData = new TextEncoder().encode(name);
    const plain = new TextEncoder().encode(JSON.stringify(value));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, this.key, plain);
    await this.ask("sealed", "readwrite", (rows) => rows.put({ iv, data }, name));
  }

  // null for what is not there; undefined for what cannot be read any more, its key or its bytes being gone.
  async get(name) {
    const sealed = await this.ask("sealed", "readonly", (rows) => rows.get(name));
    if (!sealed) return null;
    const additionalData = new TextEncoder().encode(name);
    try {
      const how = { name: "AES-GCM", iv: sealed.iv, additionalData };
      return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, this.key, sealed.data)));
    } catch {
      return undefined;
    }
  }

  // Change one record by `work(record)`: it answers the record as it is to be, null to drop it, undefined to leave
  // it. Two who change the same one take turns, in all tabs.
  change(name, work) {
    return navigator.locks.request(`${this.database.name}:${name}`, async () => {
      const changed = work(await this.get(name));
      if (changed === null) await this.drop(name);
      else if (changed) await this.put(name, changed);
      return changed;
    });
  }

  async names(prefix) {
    const all = await this.ask("sealed", "readonly", (rows) => rows.getAllKeys());
    return all.filter((name) => name.startsWith(prefix));
  }

  drop(name) {
    return this.ask("sealed", "readwrite", (rows) => rows.delete(name));
  }
}
