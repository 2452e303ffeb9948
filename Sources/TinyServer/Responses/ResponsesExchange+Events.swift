import TinyJSON
import TinyRunner

/// All events are numbered:
///
///     response.created  response.in_progress  response.output_item.added  response.content_part.added
///     response.output_text.delta…  response.output_text.done  response.content_part.done  response.output_item.done
///     response.completed | response.incomplete | response.failed
extension ResponsesExchange {
    mutating func opening(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] {
        opened = (model, identity)
        let response = response(.begun, of: model, identity)
        return [event("created", [("response", response)]), event("in_progress", [("response", response)])]
    }

    mutating func events(
        for event: Engine.Event, choice: Int, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        switch event {
        case .started, .read, .promptScores: []
        case .piece(let piece): add(piece, of: model, identity)
        case .finished(let completion): addItem(identity) + end(completion, of: model, identity)
        }
    }

    func closing(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent] { [] }

    func failure(_ error: APIError) -> [ServerSentEvent] {
        guard let (model, identity) = opened else { return OpenAI.events(error) }
        var copy = self
        return [copy.event("failed", [("response", response(.failed(error), of: model, identity))])]
    }

    private mutating func add(
        _ piece: Piece, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        let new = candidates == nil ? [] : piece.tokens.map { ChatLogprob.json($0, model.tokenizer) }
        if piece.text.isEmpty && new.isEmpty { return [] }
        logprobs += new
        let first = addItem(identity)
        return first + [
            event("output_text.delta", place(identity) + [("delta", .string(piece.text)), ("logprobs", .array(new))])
        ]
    }

    private mutating func addItem(_ identity: AnswerIdentity) -> [ServerSentEvent] {
        if hasItem { return [] }
        hasItem = true
        return [
            event("output_item.added", [("output_index", 0), ("item", message("in_progress", [], identity))]),
            event("content_part.added", place(identity) + [("part", Self.part(""))]),
        ]
    }

    private mutating func end(
        _ completion: Completion, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent] {
        let message = message(completion, logprobs, identity)
        let text: JSON = .string(completion.text)
        return [
            event("output_text.done", place(identity) + [("text", text), ("logprobs", .array(logprobs))]),
            event("content_part.done", place(identity) + [("part", Self.part(completion.text, logprobs))]),
            event("output_item.done", [("output_index", 0), ("item", message)]),
            event(
                Self.isComplete(completion) ? "completed" : "incomplete",
                [("response", response(.done(completion), output: [message], of: model, identity))]),
        ]
    }

    private func place(_ identity: AnswerIdentity) -> [(String, JSON)] {
        [("item_id", .string("msg_\(identity.id)")), ("output_index", 0), ("content_index", 0)]
    }

    private mutating func event(_ name: String, _ members: [(String, JSON)]) -> ServerSentEvent {
        defer { eventNumber += 1 }
        let type = "response.\(name)"
        return ServerSentEvent(
            name: type, .members([("type", .string(type)), ("sequence_number", .integer(eventNumber))] + members))
    }
}
