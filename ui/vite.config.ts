/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import { tanstackRouter } from '@tanstack/router-plugin/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { chunks } from './chunks.ts';

// Served below any path prefix: everything is asked for relative to the page's <base>.
export default defineConfig({
  base: './',
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  plugins: [
    tanstackRouter({ target: 'react', autoCodeSplitting: true, quoteStyle: 'single', semicolons: true }),
    react(),
    chunks(),
    // The server writes another way to the root into this very text.
    {
      name: 'plain-base',
      transformIndexHtml: (html: string) => html.replace('<base href="./" />', '<base href="./">'),
    },
  ],
  build: {
    target: 'es2023',
    sourcemap: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:8080', '/admin': 'http://127.0.0.1:8080' } },
  test: { include: ['src/**/*.test.{ts,tsx}'] },
});
