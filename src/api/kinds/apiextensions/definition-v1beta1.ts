/**
 * Definitions as upstream's server stores them: in v1beta1, which nobody serves any more. What all versions have alike
 * stands beside them there, not in each.
 * Upstream: apiextensions-apiserver pkg/apis/apiextensions/v1beta1/conversion.go.
 */
type Json = Readonly<Record<string, unknown>>;

export const storedApiVersion = 'apiextensions.k8s.io/v1beta1';

interface Column {
  readonly JSONPath?: string;
}
interface Version extends Json {
  readonly additionalPrinterColumns?: readonly Column[];
}

/** In v1. Anything else is given back as it is. */
export function inServedVersion(object: Json): Json {
  if (object['apiVersion'] !== storedApiVersion) return object;
  const { version, validation, subresources, additionalPrinterColumns, selectableFields, versions, conversion, ...spec } = object[
    'spec'
  ] as Json;
  const alike = { schema: validation, subresources, additionalPrinterColumns, selectableFields };
  const given = (versions ?? [{ name: version, served: true, storage: true }]) as readonly Version[];
  return {
    ...object,
    apiVersion: 'apiextensions.k8s.io/v1',
    spec: {
      ...spec,
      versions: given.map((each) => versionOf({ ...alike, ...each } as Version)),
      conversion: conversion && conversionOf(conversion as Json),
    },
  };
}

function versionOf({ additionalPrinterColumns: columns, ...version }: Version): Json {
  return { ...version, additionalPrinterColumns: columns?.map(({ JSONPath, ...column }) => ({ ...column, jsonPath: JSONPath })) };
}

function conversionOf({ strategy, webhookClientConfig: clientConfig, conversionReviewVersions }: Json): Json {
  return { strategy, webhook: clientConfig && { clientConfig, conversionReviewVersions } };
}
