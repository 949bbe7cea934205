// OpenAI's chat format on 127.0.0.1 over a real model: node small_model.mjs MODEL.gguf
// It runs in a folder where node-llama-cpp is installed, and prints its address first.
import http from "node:http";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const require = createRequire(process.cwd() + "/");
const {getLlama, LlamaChatSession} = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const llama = await getLlama({gpu: false, build: "never", skipDownload: true});
const model = await llama.loadModel({modelPath: process.argv[2]});
const context = await model.createContext({contextSize: 2048, batchSize: 128, threads: 2});
let turn = Promise.resolve();

async function answered(body) {
    const turns = body.messages.map((one) => ({role: one.role, text: String(one.content)}));
    const last = turns.pop().text;
    const sequence = context.getSequence();
    const session = new LlamaChatSession({contextSequence: sequence, autoDisposeSequence: true});
    session.setChatHistory(turns.map(({role, text}) =>
        role === "assistant" ? {type: "model", response: [text]} : {type: role, text}));
    const most = body.max_completion_tokens ?? body.max_tokens;
    const before = sequence.tokenMeter.getState();
    const said = await session.promptWithMeta(last, {maxTokens: most, temperature: body.temperature ?? 0});
    const used = sequence.tokenMeter.diff(before);
    session.dispose();
    return {
        id: "chatcmpl-1", object: "chat.completion", created: 1, model: body.model,
        choices: [{index: 0, message: {role: "assistant", content: said.responseText},
            finish_reason: said.stopReason === "maxTokens" ? "length" : "stop"}],
        usage: {prompt_tokens: used.usedInputTokens, completion_tokens: used.usedOutputTokens,
            total_tokens: used.usedInputTokens + used.usedOutputTokens},
    };
}

function send(response, status, value) {
    response.writeHead(status, {"Content-Type": "application/json"});
    response.end(JSON.stringify(value));
}

const server = http.createServer((request, response) => {
    if (request.method === "GET") return send(response, 200, {object: "list", data: [{id: "smollm2"}]});
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
        turn = turn.then(async () => {
            try {
                send(response, 200, await answered(JSON.parse(Buffer.concat(parts))));
            } catch (error) {
                send(response, 500, {error: {message: String(error)}});
            }
        });
    });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
