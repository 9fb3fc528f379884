import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // Packages of this repository are bundled from their sources.
  resolve: { conditions: ['development', 'module', 'browser'] },
  build: { target: 'es2024', sourcemap: true, reportCompressedSize: true },
  server: { host: '127.0.0.1', proxy: { '/api': 'http://127.0.0.1:8080', '/auth': 'http://127.0.0.1:8080' } },
});
