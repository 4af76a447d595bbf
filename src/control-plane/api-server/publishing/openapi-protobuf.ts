/**
 * OpenAPI version 2 as protobuf: what Go clients ask for (`Accept: application/com.github.proto-openapi.spec.v2…`). Only
 * the messages and fields that our documents use.
 * Specified by: github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto.
 */

import protobuf from 'protobufjs/minimal.js';
import { own } from '../../../api/meta/words.ts';
import type { Json } from './openapi-schemas.ts';

type Writer = protobuf.Writer;
type Write<T> = (writer: Writer, value: T) => void;

const lengthDelimited = 2;
const tag = (field: number): number => (field << 3) | lengthDelimited;

function text(writer: Writer, field: number, value: unknown): void {
  if (typeof value === 'string' && value !== '') writer.uint32(tag(field)).string(value);
}

function texts(writer: Writer, field: number, values: unknown): void {
  if (Array.isArray(values)) for (const value of values as readonly string[]) writer.uint32(tag(field)).string(value);
}

function flag(writer: Writer, field: number, value: unknown): void {
  if (value === true) writer.uint32(field << 3).bool(true);
}

function message<T>(writer: Writer, field: number, value: T | undefined, write: Write<T>): void {
  if (value === undefined) return;
  writer.uint32(tag(field)).fork();
  write(writer, value);
  writer.ldelim();
}

/** A map is a list of pairs of a name and a value. */
function entries(writer: Writer, field: number, map: unknown, write: Write<Json>): void {
  for (const [name, value] of Object.entries((map ?? {}) as Json)) {
    message(writer, field, value as Json, (inner, v) => {
      text(inner, 1, name);
      message(inner, 2, v, write);
    });
  }
}

/** Any value, as YAML text; JSON is YAML. */
const any: Write<unknown> = (writer, value) => text(writer, 2, `${JSON.stringify(value)}\n`);

function extensions(writer: Writer, field: number, of: Json): void {
  for (const [name, value] of Object.entries(of)) {
    if (!name.startsWith('x-')) continue;
    message(writer, field, value, (inner, v) => {
      text(inner, 1, name);
      message(inner, 2, v, any);
    });
  }
}

const schema: Write<Json> = (writer, s) => {
  text(writer, 1, s['$ref']);
  text(writer, 2, s['format']);
  text(writer, 4, s['description']);
  texts(writer, 19, s['required']);
  if (Array.isArray(s['enum'])) for (const value of s['enum'] as readonly unknown[]) message(writer, 20, value, any);
  message(writer, 21, s['additionalProperties'] as Json | undefined, (inner, v) => message(inner, 1, v, schema));
  message(writer, 22, s['type'], (inner, v) => text(inner, 1, v));
  message(writer, 23, s['items'] as Json | undefined, (inner, v) => message(inner, 1, v, schema));
  message(writer, 25, s['properties'], (inner, v) => entries(inner, 1, v, schema));
  extensions(writer, 31, s);
};

const bodyParameter: Write<Json> = (writer, p) => {
  text(writer, 2, p['name']);
  text(writer, 3, p['in']);
  flag(writer, 4, p['required']);
  message(writer, 5, p['schema'] as Json, schema);
};

/** Parameters in the query or the path: the same fields but for one in between, which shifts the numbers. */
function plainParameter(typeField: number, uniqueField: number): Write<Json> {
  return (writer, p) => {
    flag(writer, 1, p['required']);
    text(writer, 2, p['in']);
    text(writer, 4, p['name']);
    text(writer, typeField, p['type']);
    flag(writer, uniqueField, p['uniqueItems']);
  };
}
const queryParameter = plainParameter(6, 20);
const pathParameter = plainParameter(5, 19);

const parameterItem: Write<Json> = (writer, p) =>
  message(writer, 1, p, (inner) => {
    if (p['in'] === 'body') message(inner, 1, p, bodyParameter);
    else if (p['in'] === 'path') message(inner, 2, p, (w) => message(w, 4, p, pathParameter));
    else message(inner, 2, p, (w) => message(w, 3, p, queryParameter));
  });

const response: Write<Json> = (writer, r) =>
  message(writer, 1, r, (inner) => {
    text(inner, 1, r['description']);
    message(inner, 2, r['schema'] as Json | undefined, (w, s) => message(w, 1, s, schema));
  });

const operation: Write<Json> = (writer, o) => {
  texts(writer, 1, o['tags']);
  text(writer, 3, o['description']);
  text(writer, 5, o['operationId']);
  texts(writer, 6, o['produces']);
  texts(writer, 7, o['consumes']);
  for (const p of (o['parameters'] ?? []) as readonly Json[]) message(writer, 8, p, parameterItem);
  message(writer, 9, o['responses'], (inner, v) => entries(inner, 1, v, response));
  texts(writer, 10, o['schemes']);
  extensions(writer, 13, o);
};

const methodFields = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 } as const;

const pathItem: Write<Json> = (writer, item) => {
  for (const [method, field] of Object.entries(methodFields)) message(writer, field, own(item, method) as Json | undefined, operation);
  for (const p of (item['parameters'] ?? []) as readonly Json[]) message(writer, 9, p, parameterItem);
};

const securityDefinition: Write<Json> = (writer, s) =>
  message(writer, 2, s, (inner) => {
    text(inner, 1, s['type']);
    text(inner, 2, s['name']);
    text(inner, 3, s['in']);
    text(inner, 4, s['description']);
  });

const securityRequirement: Write<Json> = (writer, requirement) =>
  entries(writer, 1, requirement, (inner, scopes) => texts(inner, 1, scopes));

/** A version 2 document, as `openApiV2` makes it. */
export function encodeOpenApiV2(document: Json): Uint8Array {
  const writer = protobuf.Writer.create();
  const info = document['info'] as Json;
  text(writer, 1, document['swagger']);
  message(writer, 2, info, (inner) => {
    text(inner, 1, info['title']);
    text(inner, 2, info['version']);
  });
  message(writer, 8, document['paths'], (inner, v) => entries(inner, 2, v, pathItem));
  message(writer, 9, document['definitions'], (inner, v) => entries(inner, 1, v, schema));
  for (const requirement of document['security'] as readonly Json[]) message(writer, 12, requirement, securityRequirement);
  message(writer, 13, document['securityDefinitions'], (inner, v) => entries(inner, 1, v, securityDefinition));
  return writer.finish();
}
