/*
 * index.js - the start page: asks the server who it is.
 */
import { serverUrls } from './lib/session.js';
import { $, node } from './lib/page.js';

const status = $('status');

try {
    const { http } = serverUrls(new URLSearchParams(location.search).get('server') ?? undefined);
    const response = await fetch(`${http}/info`, { cache: 'no-store' });

    if (!response.ok)
        throw new Error(`HTTP status ${response.status}`);
    show(await response.json());
    status.dataset.state = 'connected';
    status.textContent = 'Server is up';
} catch {
    status.dataset.state = 'failed';
    status.textContent = 'Server does not answer';
    facts([['Status', 'The server cannot be reached. Is it running?']]);
}

/** @param {Record<string, any>} info */
function show(info) {
    facts([
        ['Name', info['server-name'] || info.name],
        ['Version', info.version_string],
        ['Transports', Object.keys(info.transports ?? {}).map(last).join(', ')],
        ['ICE', info['ice-lite'] ? 'lite' : 'full'],
        ['Access', info.api_secret || info.auth_token ? 'with a secret or token' : 'open'],
    ]);
    $('plugins').replaceChildren(...Object.entries(info.plugins ?? {}).map(([name, plugin]) =>
        node('li', { className: 'chip', title: plugin.description ?? '' },
            `${last(name)} ${plugin.version_string ?? ''}`)));
    $('plugins-field').hidden = !Object.keys(info.plugins ?? {}).length;
}

/** @param {[string, unknown][]} list */
function facts(list) {
    $('server').replaceChildren(...list.filter(([, value]) => value)
        .flatMap(([name, value]) => [node('dt', {}, name), node('dd', {}, String(value))]));
}

/** @param {string} name  of a package @returns {string} */
function last(name) {
    return name.replace(/^.*\./, '');
}
