import TinyJSON
import TinyRunner

/// Whether the server makes progress, not only whether it is up.
struct Health: Sendable, Equatable {
    let state: State
    private let engine: Engine.Status

    enum State: String, Sendable {
        case ok
        /// It is being shut down.
        case draining
        /// A pass through the model takes longer than any should.
        case stuck
    }

    init(_ engine: Engine.Status, stuckSeconds: Int) {
        self.engine = engine
        let isStuck = (engine.secondsInPass ?? 0) > Double(stuckSeconds)
        state = engine.isDraining ? .draining : isStuck ? .stuck : .ok
    }

    var status: Int { state == .ok ? 200 : 503 }

    var body: JSON {
        [
            "status": .string(state.rawValue), "waiting": .integer(engine.waiting), "reading": .integer(engine.reading),
            "decoding": .integer(engine.decoding),
            "seconds_in_pass": engine.secondsInPass.map(JSON.number) ?? .null,
        ]
    }
}
