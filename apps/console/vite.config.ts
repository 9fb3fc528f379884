import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // Packages of this repository are bundled from their sources.
  resolve: { conditions: ['development', 'module', 'browser'] },
  // The budget is 200 kB of compressed script; the warning counts plain bytes.
  build: { target: 'es2024', sourcemap: true, reportCompressedSize: true, chunkSizeWarningLimit: 700 },
  server: { host: '127.0.0.1', proxy: { '/api': 'http://127.0.0.1:8080', '/auth': 'http://127.0.0.1:8080' } },
});
