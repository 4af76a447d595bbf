/** The messages of etcd v3 that are read here: those of data/etcd-v3.json in camelCase, of which the fields that are used. Numbers of 64 bits are text. */

export interface Header {
  readonly revision: string;
}
export interface EtcdKeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly modRevision: string;
  readonly createRevision: string;
  readonly lease: string;
}
export interface EtcdEvent {
  readonly type: 'PUT' | 'DELETE';
  readonly kv: EtcdKeyValue;
  readonly prevKv: EtcdKeyValue | null;
}
export interface RangeAnswer {
  readonly header: Header;
  readonly kvs: readonly EtcdKeyValue[];
  readonly more: boolean;
  readonly count: string;
}
export interface TxnAnswer {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeAnswer }[];
}
export interface KeepAliveAnswer {
  /** '0': there is none */
  readonly TTL: string;
}
export interface AlarmAnswer {
  readonly alarms: readonly { readonly memberID: string; readonly alarm: 'NOSPACE' | 'CORRUPT' | 'NONE' }[];
}
export interface StatusAnswer {
  readonly version: string;
  readonly dbSize: string;
}
