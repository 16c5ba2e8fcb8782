/**
 * React in a file of its own, begun there. As it starts it makes errors, to throw them later, and where a browser is
 * looked into it reads the whole file of each caller again for that: so the file had better be small.
 */
export { createRoot } from 'react-dom/client';
