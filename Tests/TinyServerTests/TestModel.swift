import TinyJSON
import TinyModels
import TinyRunner
import TinyTensor
import TinyTestSupport
import TinyTokenizer

@testable import TinyServer

/// A tiny model with an engine, and a chat template, which its files do not have.
struct TestModel {
    let model: Model
    let engine: Engine
    let served: ServedModel
    let identity = AnswerIdentity(id: "ID", created: 7)

    init(context: Int = 60) throws {
        model = try Model(at: Fixtures.path("llama-default"), precision: .exact, threads: 1)
        engine = try Engine(model, Engine.Options(slots: 2, context: context, queueLimit: 2))
        var served = try ServedModel(model, name: "tiny", aliases: ["other"], context: context, created: 1)
        served.template = try ChatTemplate(
            source: "{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}<|im_end|>{% endfor %}",
            with: Fixtures.path("llama-default"))
        self.served = served
    }

    func fields(_ text: String) throws -> FieldReader { try FieldReader(body: Array(text.utf8)) }

    private func events<E: Exchange>(_ exchange: inout E) throws -> Work.Events {
        let requests = try exchange.requests(to: served)
        return try Work(
            engine: engine, requests: requests, connection: Connection(), deadline: .now + .seconds(60)
        ).events()
    }

    /// The answer as one value.
    func answer<E: Exchange>(_ type: E.Type, _ body: String) async throws -> JSONObject {
        var exchange = try E(try fields(body))
        var completions: [Int: Completion] = [:]
        for try await (choice, event) in try events(&exchange) {
            if case .finished(let completion) = event { completions[choice] = completion }
        }
        let json = exchange.answer(completions.sorted { $0.key < $1.key }.map(\.value), of: served, identity)
        return try JSON(parsing: json.written).object ?? JSONObject()
    }

    /// The answer as events.
    func stream<E: Exchange>(_ type: E.Type, _ body: String) async throws -> [ServerSentEvent] {
        var exchange = try E(try fields(body))
        let events = try events(&exchange)
        var sent = exchange.opening(of: served, identity)
        for try await (choice, event) in events {
            sent += exchange.events(for: event, choice: choice, of: served, identity)
        }
        return sent + exchange.closing(of: served, identity)
    }

    /// The error of a body that is refused.
    func error<E: Exchange>(_ type: E.Type, _ body: String) -> APIError? {
        do {
            var exchange = try E(try fields(body))
            try served.check(exchange.model)
            for request in try exchange.requests(to: served) { _ = try engine.stream(request) }
            return nil
        } catch { return APIError(error, parameter: E.promptField) }
    }
}

extension JSON {
    /// What stands under a path of keys and positions.
    subscript(_ path: Any...) -> JSON? {
        var value: JSON? = self
        for step in path {
            if let key = step as? String { value = value?.object?[key] }
            if let index = step as? Int {
                guard let list = value?.array, list.indices.contains(index) else { return nil }
                value = list[index]
            }
        }
        return value
    }
}
