export { bind } from './registry/bind.js';
export type { Lease } from './registry/lease.js';
export type { LockOptions } from './registry/lock_options.js';
export { Registry, type SectionResult, type WatchOptions } from './registry/registry.js';
export type { RegistryData } from './registry/registry_data.js';
export type { RegistryChange } from './registry/replica.js';
