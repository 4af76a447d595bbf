/** Checks of where a webhook is. Upstream: apiserver/pkg/util/webhook/validation.go. */
import { checkDns1123Subdomain, checkPortNumber } from '../meta/names.ts';
import { fieldErrors } from '../meta/status-error.ts';
import type { Errors } from './checks.ts';

const urlForm = '; desired format: https://host[/path]';

export function checkWebhookUrl(errors: Errors, path: string, text: string): void {
  const add = (value: string, message: string): void => void errors.push(fieldErrors.invalid(path, value, message));
  const [, scheme = '', rest = ''] = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(.*)$/s.exec(text) ?? [];
  const [, authority = ''] = /^\/\/([^/?#]*)/.exec(rest) ?? [];
  const [, user] = /^(.*)@/.exec(authority) ?? [];
  const [, query = ''] = /^[^#]*?\?([^#]*)/.exec(rest) ?? [];
  const [, fragment = ''] = /#(.*)$/s.exec(rest) ?? [];
  if (scheme.toLowerCase() !== 'https') add(scheme.toLowerCase(), `'https' is the only allowed URL scheme${urlForm}`);
  if (!authority.replace(/^.*@/, '')) add('', `host must be specified${urlForm}`);
  if (user !== undefined) add(user, 'user information is not permitted in the URL');
  if (fragment) add(fragment, 'fragments are not permitted in the URL');
  if (query) add(query, 'query parameters are not permitted in the URL');
}

interface ServiceReference {
  readonly name?: string;
  readonly namespace?: string;
  readonly path?: string;
  readonly port?: number;
}

export function checkWebhookService(errors: Errors, at: string, { name, namespace, path, port = 0 }: ServiceReference): void {
  if (!name) errors.push(fieldErrors.required(`${at}.name`));
  if (!namespace) errors.push(fieldErrors.required(`${at}.namespace`));
  const messages = checkPortNumber(port);
  if (messages.length) errors.push(fieldErrors.invalid(`${at}.port`, port, `port is not valid: ${messages.join(', ')}`));
  if (!path || path === '/') return;
  const add = (message: string): void => void errors.push(fieldErrors.invalid(`${at}.path`, path, message));
  if (path === '//') {
    add('segment[0] may not be empty');
    return;
  }
  if (!path.startsWith('/')) add("must start with a '/'");
  const steps = path.slice(1).replace(/\/$/, '').split('/');
  steps.forEach((step, i) => {
    if (!step) add(`segment[${i}] may not be empty`);
    else for (const message of checkDns1123Subdomain(step)) add(`segment[${i}]: ${message}`);
  });
}

interface ClientConfig {
  readonly url?: string;
  readonly service?: ServiceReference;
}

/** Exactly one of an URL and a service. */
export function checkClientConfig(errors: Errors, path: string, { url, service }: ClientConfig, absent: string): void {
  if ((url === undefined) === (service === undefined)) errors.push(fieldErrors.required(path, absent));
  else if (url !== undefined) checkWebhookUrl(errors, `${path}.url`, url);
  else if (service) checkWebhookService(errors, `${path}.service`, service);
}
