import { itServes } from './hosts.js';

itServes('nest11-fastify-swc');
