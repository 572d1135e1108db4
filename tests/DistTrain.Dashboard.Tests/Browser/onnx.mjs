// node onnx.mjs MODEL INPUTS PREDICTIONS TYPE: runs a model in ONNX Runtime on rows of inputs, and prints the greatest distance from predictions.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';

const [, , model, inputs, predictions, type] = process.argv;
const rows = file => readFileSync(file, 'utf8').trim().split('\n').slice(1).map(line => line.split(',').map(Number));
const given = rows(inputs);
// The first column of predictions is the class; where targets are no classes, there is none.
const expected = readFileSync(predictions, 'utf8').startsWith('class') ? rows(predictions).map(row => row.slice(1)) : rows(predictions);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(model));
const Values = type === 'float64' ? Float64Array : Float32Array;
const { output } = await session.run({ input: new ort.Tensor(type, Values.from(given.flat()), [given.length, given[0].length]) });
const distances = expected.flat().map((value, index) => Math.abs(value - Number(output.data[index])));
if (distances.length !== output.data.length || distances.length === 0) {
  throw new Error(`${output.data.length} outputs, ${distances.length} predictions`);
}
console.log(Math.max(...distances));
