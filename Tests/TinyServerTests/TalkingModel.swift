import TinyModels
import TinyRunner
import TinyTestSupport

@testable import TinyServer

/// A tiny model with a chat template, an engine, and what an exchange answers with them.
struct TalkingModel {
    private static let template =
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\\n{{ m['content'] }}<|im_end|>\\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}"

    let served: ServedModel
    let engine: Engine
    static let identity = AnswerIdentity(id: "42", created: 1_700_000_000)

    init() throws {
        let folder = TemporaryFolder()
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            folder.copy(Fixtures.path("llama-default/\(name)"), as: name)
        }
        folder.write("tokenizer_config.json", #"{"chat_template": "\#(Self.template)"}"#)
        let model = try Model(at: folder.path, threads: 1)
        engine = try Engine(model)
        served = try ServedModel(model, name: "tiny", context: engine.plan.context, created: 0)
    }

    /// One answer as JSON text, and the completion behind it.
    func answer<E: Exchange>(_ type: E.Type, _ body: String) async throws -> (json: JSONValue, completion: Completion) {
        var exchange = try E(FieldReader(body: Array(body.utf8)))
        var completions: [Completion] = []
        for request in try exchange.requests(to: served) { completions.append(try await engine.complete(request)) }
        return (JSONValue(exchange.answer(completions, of: served, Self.identity)), completions[0])
    }

    /// The same as a stream.
    func events<E: Exchange>(_ type: E.Type, _ body: String) async throws -> [(name: String, json: JSONValue)] {
        var exchange = try E(FieldReader(body: Array(body.utf8)))
        let requests = try exchange.requests(to: served)
        var events = exchange.opening(of: served, Self.identity)
        for (choice, request) in requests.enumerated() {
            for try await event in try engine.stream(request) {
                events += exchange.events(for: event, choice: choice, of: served, Self.identity)
            }
        }
        events += exchange.closing(of: served, Self.identity)
        return try events.map { ($0.name ?? "", try JSONValue(parsing: $0.data)) }
    }
}
