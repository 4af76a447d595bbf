/** Rules of where a webhook is. Upstream: apiserver/pkg/util/webhook/validation.go. */
import { checkDns1123Subdomain, checkPortNumber } from '../meta/names.ts';
import { countedAs, fields, filled, required } from '../schema/rules/rules.ts';
import type { Rule } from '../schema/rules/walk.ts';

const urlForm = '; desired format: https://host[/path]';

const webhookUrl: Rule<string> = (text, walk) => {
  const [, scheme = '', rest = ''] = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(.*)$/s.exec(text) ?? [];
  const [, authority = ''] = /^\/\/([^/?#]*)/.exec(rest) ?? [];
  const [, user] = /^(.*)@/.exec(authority) ?? [];
  const [, query = ''] = /^[^#]*?\?([^#]*)/.exec(rest) ?? [];
  const [, fragment = ''] = /#(.*)$/s.exec(rest) ?? [];
  if (scheme.toLowerCase() !== 'https') walk.invalid('', scheme.toLowerCase(), `'https' is the only allowed URL scheme${urlForm}`);
  if (!authority.replace(/^.*@/, '')) walk.invalid('', '', `host must be specified${urlForm}`);
  if (user !== undefined) walk.invalid('', user, 'user information is not permitted in the URL');
  if (fragment) walk.invalid('', fragment, 'fragments are not permitted in the URL');
  if (query) walk.invalid('', query, 'query parameters are not permitted in the URL');
};

interface ServiceReference {
  readonly name?: string;
  readonly namespace?: string;
  readonly path?: string;
  readonly port?: number;
}

/** Of a Service that is asked: absent counts as 0. */
export const servicePort: Rule<number> = countedAs(0, (port, walk) => {
  const messages = checkPortNumber(port);
  if (messages.length) walk.invalid('', port, `port is not valid: ${messages.join(', ')}`);
});

const path: Rule<string> = (text, walk) => {
  const add = (message: string): void => walk.invalid('', text, message);
  if (text === '/') return;
  if (text === '//') return add('segment[0] may not be empty');
  if (!text.startsWith('/')) add("must start with a '/'");
  const steps = text.slice(1).replace(/\/$/, '').split('/');
  for (const [i, step] of steps.entries()) {
    if (!step) add(`segment[${i}] may not be empty`);
    else for (const message of checkDns1123Subdomain(step)) add(`segment[${i}]: ${message}`);
  }
};
const service = fields<ServiceReference>({ name: required(), namespace: required(), port: servicePort, path: filled(path) });

interface ClientConfig {
  readonly url?: string;
  readonly service?: ServiceReference;
}

/** Exactly one of an URL and a service; `absent`: what is said else. */
export const clientConfig =
  (absent: string): Rule<ClientConfig> =>
  (given, walk) => {
    if ((given.url === undefined) === (given.service === undefined)) return walk.required('', absent);
    walk.check('url', given.url, webhookUrl);
    walk.check('service', given.service, service);
  };
