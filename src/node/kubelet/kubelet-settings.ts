/**
 * What the kubelet works with, in the words of upstream's configuration file and flags: for `/configz` and `/flagz`.
 * Only what is really so; what has no counterpart here is not there. No keys, no tokens. Pure.
 * Upstream: kubelet/config/v1beta1/types.go, cmd/kubelet/app/options.
 */
import type { Taint } from '../../api/generated/core-v1.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import { leaseSeconds, reportMs } from './node/node-agent.ts';

export interface KubeletSettings {
  /** a KubeletConfiguration of kubelet.config.k8s.io/v1beta1 */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** without their dashes */
  readonly flags: Readonly<Record<string, string>>;
}

export interface SettingsInput
  extends Pick<KubeletOptions, 'nodeName' | 'nodeIPs' | 'clusterDNS' | 'clusterDomain' | 'dataDir' | 'cgroupRoot' | 'labels' | 'taints'> {
  readonly podsMax: number;
  readonly cgroupDriver: string;
  readonly resolvConfPath: string;
  readonly serving?: { readonly host: string; readonly port: number } | undefined;
}

export function describeSettings(input: SettingsInput): KubeletSettings {
  const { nodeName, nodeIPs, clusterDNS, clusterDomain, dataDir, cgroupRoot = [], labels = {}, taints = [], serving } = input;
  return {
    configuration: {
      kind: 'KubeletConfiguration',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      ...(serving && { address: serving.host, port: serving.port }),
      readOnlyPort: 0,
      authentication: { x509: {}, webhook: { enabled: true }, anonymous: { enabled: false } },
      authorization: { mode: 'Webhook' },
      clusterDomain,
      clusterDNS,
      nodeStatusReportFrequency: duration(reportMs),
      nodeLeaseDurationSeconds: leaseSeconds,
      cgroupRoot: `/${cgroupRoot.join('/')}`,
      cgroupDriver: input.cgroupDriver,
      maxPods: input.podsMax,
      resolvConf: input.resolvConfPath,
      enableSystemLogHandler: true,
      enableSystemLogQuery: false,
      enableDebuggingHandlers: true,
    },
    flags: {
      'hostname-override': nodeName,
      'node-ip': nodeIPs.join(),
      'node-labels': Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(),
      'register-with-taints': taints.map(describeTaint).join(),
      'root-dir': dataDir,
    },
  };
}

const duration = (ms: number): string => `${Math.floor(ms / 60_000)}m${(ms % 60_000) / 1000}s`;
const describeTaint = ({ key, value = '', effect }: Taint): string => `${key}=${value}:${effect}`;
