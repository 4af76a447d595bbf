/** CVE-2026-53488: the runtime gives a container the labels of its image; nothing on the host may trust those. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotationsOfContainer, labelsOfContainer, labelsOfPod, readContainerNotes } from '../../src/node/kubelet/pod/runtime-labels.ts';
import { podLabels } from '../../src/node/runtime/container-runtime.ts';
import { containerdPaths, renderContainerdConfig } from '../../src/node/runtime/containerd-config.ts';
import { container, testPod } from '../kit/test-pods.ts';

const main = container('main');
const pod = testPod({ spec: { containers: [main] } });

test('every label that is read back is one that the kubelet sets, so that an image’s is overruled', () => {
  const set = Object.keys(labelsOfContainer(pod, main));
  for (const label of Object.values(podLabels)) assert.ok(set.includes(label), label);
});
test('a pod’s own labels do not stand for who it is', () => {
  const liar = testPod({ metadata: { labels: { [podLabels.podUid]: 'other', [podLabels.podNamespace]: 'kube-system' } } });
  const labels = labelsOfPod(liar);
  assert.equal(labels[podLabels.podUid], liar.metadata.uid);
  assert.equal(labels[podLabels.podNamespace], liar.metadata.namespace);
});
test('what else is noted of a container is in annotations, which images have none of', () => {
  const notes = readContainerNotes(annotationsOfContainer(pod, main, 3));
  assert.equal(notes.restartCount, 3);
  assert.deepEqual(readContainerNotes({}).restartCount, 0);
});
for (const [major, minor] of [
  [1, 6],
  [2, 1],
] as const) {
  test(`containerd ${major}.${minor} is started without the plugin that runs what labels say`, () => {
    const config = renderContainerdConfig({
      version: { major, minor, text: `${major}.${minor}.0` },
      paths: containerdPaths('/var/lib/x'),
      pauseImage: 'pause',
      snapshotter: 'overlayfs',
      canLowerOomScore: true,
      cgroupDriver: 'cgroupfs',
      cniPluginDir: '/opt/cni/bin',
    });
    assert.match(config, /^disabled_plugins = \[.*"io\.containerd\.internal\.v1\.restart".*\]$/m);
  });
}
