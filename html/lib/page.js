/*
 * page.js - what the pages that come with Sluice share; the library does not use it.
 */
import { describe } from '../sluice.js';

/** @param {string} id @returns {HTMLElement} */
export function $(id) {
    const found = document.getElementById(id);

    if (!found)
        throw new Error(`no element #${id}`);
    return found;
}

/** @param {string} id @returns {HTMLInputElement} */
export function input(id) {
    return /** @type {HTMLInputElement} */ ($(id));
}

/** @param {string} id @returns {HTMLButtonElement} */
export function button(id) {
    return /** @type {HTMLButtonElement} */ ($(id));
}

/** @param {string} id @returns {HTMLVideoElement} */
export function video(id) {
    return /** @type {HTMLVideoElement} */ ($(id));
}

/** @param {string} id @returns {HTMLSelectElement} */
export function select(id) {
    return /** @type {HTMLSelectElement} */ ($(id));
}

/**
 * A new element. Text goes in as text, never as markup.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function node(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);

    element.append(...children);
    return element;
}

/**
 * @param {HTMLElement} list  a dl
 * @param {import('./stats.js').Figures} figures
 * @param {[string, string][]} [more]
 */
export function showFigures(list, figures, more = []) {
    list.replaceChildren(...[...describe(figures), ...more]
        .flatMap(([name, value]) => [node('dt', {}, name), node('dd', {}, value)]));
}

/** What the address of the page says about the connection. @returns {import('./session.js').ConnectOptions} */
export function connectOptions() {
    const query = new URLSearchParams(location.search);
    const transport = query.get('transport');

    return {
        server: query.get('server') ?? undefined,
        token: query.get('token') ?? undefined,
        apisecret: query.get('apisecret') ?? undefined,
        ...((transport === 'websocket' || transport === 'longpoll') && { transports: [transport] }),
    };
}

/** Throws what explain() understands where there are no devices to be had. */
export function mediaDevices() {
    if (!navigator.mediaDevices)
        throw new DOMException('', 'SecurityError');
    return navigator.mediaDevices;
}
