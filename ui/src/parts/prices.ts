/** What has a price, in the order and words people read. The first are per million tokens, `each` of the others by itself. */
export const PRICES: { name: string; title: string; each?: true }[] = [
  { name: 'input', title: 'Input' },
  { name: 'output', title: 'Output' },
  { name: 'cache_read', title: 'Cached input' },
  { name: 'cache_write_5m', title: 'Cache write, 5 minutes' },
  { name: 'cache_write_1h', title: 'Cache write, 1 hour' },
  { name: 'reasoning', title: 'Reasoning' },
  { name: 'audio', title: 'Audio' },
  { name: 'image', title: 'Image', each: true },
  { name: 'search', title: 'Search', each: true },
  { name: 'request', title: 'Request', each: true },
];

export const priceTitle = (name: string): string => PRICES.find((one) => one.name === name)?.title ?? name;
