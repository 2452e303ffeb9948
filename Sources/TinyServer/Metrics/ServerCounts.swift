import Synchronization
import TinyRunner

/// What the server counts beside its engine: requests, and how long clients wait for tokens.
final class ServerCounts: Sendable {
    private struct State {
        var requests: [Key: Int] = [:]
        var firstToken = Histogram([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120])
        var betweenTokens = Histogram([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5])
        var request = Histogram([0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600])
    }

    private struct Key: Hashable {
        let route: String
        let status: Int
    }

    private let state = Mutex(State())

    /// - Parameter route: nil for paths that are none; their names are the clients', and there may be any number of them.
    func answered(_ route: Route?, status: Int, seconds: Double) {
        state.withLock {
            $0.requests[Key(route: route?.rawValue ?? "other", status: status), default: 0] += 1
            $0.request.observe(seconds)
        }
    }

    /// - Parameter seconds: since the request came.
    func firstToken(seconds: Double) { state.withLock { $0.firstToken.observe(seconds) } }

    /// - Parameter seconds: since the tokens before, which a client gets as they come.
    func nextToken(seconds: Double) { state.withLock { $0.betweenTokens.observe(seconds) } }

    /// All of it, and what the engine says.
    func text(_ status: Engine.Status, _ plan: Engine.Plan, residentBytes: Int?) -> String {
        let state = state.withLock { $0 }
        var text = PrometheusText()
        text.family("tinygpt_requests_total", .counter, "Requests answered, by route and HTTP status.")
        for (key, count) in state.requests.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) })
        {
            text.sample(
                "tinygpt_requests_total", [("route", key.route), ("status", "\(key.status)")], Double(count))
        }
        text.histogram("tinygpt_request_seconds", "From a request to the end of its answer.", state.request)
        text.histogram(
            "tinygpt_time_to_first_token_seconds", "From a request to the first token of its answer.", state.firstToken)
        text.histogram(
            "tinygpt_time_between_tokens_seconds", "Between two parts of an answer.", state.betweenTokens)
        text.write(status)
        text.write(plan)
        if let residentBytes {
            text.single(
                "process_resident_memory_bytes", .gauge, "Memory of the process, the file's pages among it.",
                Double(residentBytes))
        }
        return text.text
    }
}

extension PrometheusText {
    fileprivate mutating func write(_ status: Engine.Status) {
        let totals = status.totals
        for (name, help, value) in [
            ("texts", "Texts taken on by the engine.", totals.requests),
            ("texts_rejected", "Texts refused for want of room in the queue.", totals.rejected),
            ("texts_finished", "Texts continued to their end.", totals.finished),
            ("texts_cancelled", "Texts whose client went away.", totals.cancelled),
            ("texts_timed_out", "Texts that took longer than they may.", totals.timedOut),
            ("prompt_tokens", "Tokens of prompts.", totals.promptTokens),
            ("cached_prompt_tokens", "Tokens of prompts that did not have to be read.", totals.cachedTokens),
            ("generated_tokens", "Tokens generated.", totals.generatedTokens),
            ("prompt_passes", "Passes through the model that read prompts.", totals.promptPasses),
            ("decode_passes", "Passes through the model that continued texts.", totals.decodePasses),
        ] { single("tinygpt_\(name)_total", .counter, help, Double(value)) }
        for (name, help, value) in [
            ("queue_length", "Texts that wait.", status.waiting),
            ("reading", "Texts whose prompt is read.", status.reading),
            ("decoding", "Texts that are being continued.", status.decoding),
            ("cache_tokens", "Tokens in the caches of all slots.", status.cachedTokens),
            ("draining", "1 while the server is being shut down.", status.isDraining ? 1 : 0),
        ] { single("tinygpt_\(name)", .gauge, help, Double(value)) }
        single(
            "tinygpt_seconds_in_pass", .gauge, "Since the last pass through the model began; 0 without work.",
            status.secondsInPass ?? 0)
    }

    fileprivate mutating func write(_ plan: Engine.Plan) {
        single("tinygpt_slots", .gauge, "Texts that are continued at the same time.", Double(plan.slots))
        single("tinygpt_context_tokens", .gauge, "Tokens of each, at most.", Double(plan.context))
        family("tinygpt_planned_bytes", .gauge, "Memory that was set aside for each purpose.")
        for (purpose, bytes) in [
            ("weights", plan.weightBytes), ("cache", plan.cacheBytes), ("activations", plan.activationBytes),
        ] { sample("tinygpt_planned_bytes", [("purpose", purpose)], Double(bytes)) }
    }
}
