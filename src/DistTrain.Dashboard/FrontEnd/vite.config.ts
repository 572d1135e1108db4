import { defineConfig } from 'vite';

// One script and one style sheet: the program embeds both, and a report holds both in one file.
export default defineConfig({
  build: {
    lib: { entry: 'src/main.ts', formats: ['iife'], name: 'DistTrain', fileName: () => 'app.js', cssFileName: 'app' },
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
  },
});
