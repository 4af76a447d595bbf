/** The control plane's components beside the API server: the controllers and the scheduler. */

import { createControllerMetrics } from '../client/controllers/controller-metrics.ts';
import { runControllers } from '../client/controllers/controller-runner.ts';
import { createEventWriter } from '../client/events/event-writer.ts';
import { controllerChoice } from '../control-plane/controllers/controller-names.ts';
import { builtinControllers, identityOf } from '../control-plane/controllers/index.ts';
import { Scheduler } from '../control-plane/scheduler/scheduler.ts';
import { createSchedulerMetrics } from '../control-plane/scheduler/scheduler-metrics.ts';
import type { StartComponent } from './component.ts';
import { identities } from './identities.ts';
import { type LeaderElected, startLeaderElected } from './leader-elected.ts';

export const startControllers: StartComponent = async (context, stack) => {
  const { api, config, addresses, clock, random, log } = context;
  const metrics = api.local && (await createControllerMetrics(api.local.metrics));
  const identity = identities.controllerManager;
  const start: LeaderElected['start'] = async (running, signal) => {
    const controllers = builtinControllers({
      rootCA: api.ca,
      signing: api.local?.signing,
      clusterCIDR: addresses.podCIDR,
      chosen: controllerChoice(config.controllers),
    });
    const all = runControllers(controllers, {
      client: api.clientFor(identity),
      clientFor: (controller) => api.clientFor(identityOf(controller)),
      clock,
      random,
      log: log.child({ component: 'controllers' }),
      signal,
      metrics,
    });
    running.use(all);
    await all.started;
  };
  await startLeaderElected(context, stack, { name: 'kube-controller-manager', identity, start });
};

export const startScheduler: StartComponent = async (context, stack) => {
  const { api, clock, log: whole } = context;
  const log = whole.child({ component: 'scheduler' });
  const metrics = api.local && (await createSchedulerMetrics(api.local.metrics));
  const identity = identities.scheduler;
  const start: LeaderElected['start'] = async (running) => {
    const client = api.clientFor(identity);
    const events = running.use(createEventWriter(client, { component: 'default-scheduler', clock, log }));
    running.use(await Scheduler.start({ client, clock, events, log, metrics }));
  };
  await startLeaderElected(context, stack, { name: 'kube-scheduler', identity, start });
};
