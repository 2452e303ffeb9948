import TinyLayers
import TinyLoader
import TinyModels
import TinyTensor

extension Engine {
    /// What an engine takes of the machine's memory, decided before it takes any.
    public struct Plan: Sendable, Equatable {
        public let slots: Int
        /// Tokens of each slot.
        public let context: Int
        public let weightBytes: Int
        /// Keys and values of all slots, when they are full.
        public let cacheBytes: Int
        public let activationBytes: Int
        /// What they must fit into.
        public let limitBytes: Int

        public var totalBytes: Int { weightBytes + cacheBytes + activationBytes }

        /// What memory is kept for the rest of the process, as a part of the limit.
        private static let reserve = 10
        private static let usualSlots = 4
        private static let usualContext = 8192
        /// A context below this is not chosen unasked.
        private static let leastContext = 512

        /// - Throws: `EngineError.noRoom` with the numbers where what was asked for does not fit, `RunnerError` for a number that
        ///   means nothing or a context that the model has no positions for.
        init(_ model: Model, _ options: Options) throws {
            func require(_ holds: Bool, _ name: String, _ value: Int, _ expected: String) throws {
                if !holds { throw RunnerError.badParameter(name: name, value: "\(value)", expected: expected) }
            }
            if let slots = options.slots { try require((1...1024).contains(slots), "slots", slots, "1 to 1024") }
            let longest = Int(Int32.max)
            if let context = options.context {
                try require((2...longest).contains(context), "context", context, "2 to \(longest)")
            }
            try require((1...65536).contains(options.chunk), "chunk", options.chunk, "1 to 65536")
            try require(options.queueLimit >= 0, "queue", options.queueLimit, "a number from 0 on")
            if let limit = options.memoryLimit { try require(limit > 0, "memory-limit", limit, "a number from 1 on") }
            if let context = options.context, let rows = model.spec.positionRows, context > rows {
                throw RunnerError.contextTooLong(limit: rows, wanted: context)
            }
            let most = [Self.usualContext, model.contextLimit, model.spec.positionRows].compactMap(\.self).min()
            let limit = options.memoryLimit ?? CPU.memoryLimitBytes / Self.reserve * (Self.reserve - 1)
            // Models whose texts cannot stand beside others take one after the other.
            let slots = model.spec.readsAlone ? 1 : options.slots ?? Self.usualSlots
            let context = options.context ?? most ?? Self.usualContext
            var plan = Plan(model, slots: slots, context: context, chunk: options.chunk, limit: limit)
            if !plan.fits && options.context == nil {
                plan = plan.shrunk(model, options, least: min(Self.leastContext, context))
            }
            if !plan.fits && options.slots == nil {
                plan = Plan(model, slots: 1, context: plan.context, chunk: options.chunk, limit: limit)
            }
            if !plan.fits { throw EngineError.noRoom(plan) }
            self = plan
        }

        private init(_ model: Model, slots: Int, context: Int, chunk: Int, limit: Int) {
            (self.slots, self.context, limitBytes) = (slots, context, limit)
            weightBytes = model.checkpoint.index.preparedBytes(model.compute.precision)
            cacheBytes = Self.product(
                slots,
                Self.product(
                    context + model.spec.prefix,
                    KeyValueCache.byteCount(spec: model.spec, capacity: 1, precision: model.compute.precision)))
            let rows = Self.rows(model.spec, slots: slots, context: context, chunk: chunk)
            activationBytes = Scratch.byteCount(
                spec: model.spec, capacity: context, rows: rows,
                logitRows: Self.logitRows(model.spec, slots: slots, rows: rows), compute: model.compute)
        }

        /// The longest context with which it fits; the least if none does.
        private func shrunk(_ model: Model, _ options: Options, least: Int) -> Plan {
            var (fitting, beyond) = (least, context)
            func plan(_ context: Int) -> Plan {
                Plan(model, slots: slots, context: context, chunk: options.chunk, limit: limitBytes)
            }
            while fitting + 1 < beyond {
                let middle = fitting + (beyond - fitting) / 2
                if plan(middle).fits { fitting = middle } else { beyond = middle }
            }
            return plan(fitting)
        }

        private var fits: Bool { totalBytes <= limitBytes }

        /// A count that is too large for a number is too large for any memory.
        private static func product(_ a: Int, _ b: Int) -> Int {
            let (product, overflow) = a.multipliedReportingOverflow(by: b)
            return overflow || product > 1 << 60 ? 1 << 60 : product
        }

        /// The most rows of a pass.
        static func rows(_ spec: ModelSpec, slots: Int, context: Int, chunk: Int) -> Int {
            // Where tokens see what comes after them, a prompt is read at once.
            spec.seesAhead ? context : max(slots, min(chunk, context))
        }

        /// Logits that are worked out at a time.
        static func logitRows(_ spec: ModelSpec, slots: Int, rows: Int) -> Int {
            spec.readsAlone ? rows : max(slots, 8)
        }

        var refusal: String {
            func size(_ bytes: Int) -> String {
                let megabytes = Double(bytes) / 1e6
                return megabytes < 1000 ? "\(Int(megabytes.rounded(.up))) MB" : "\((megabytes / 1000).fixed(1)) GB"
            }
            let needed =
                "\(size(totalBytes)) (weights \(size(weightBytes)), keys and values of \(slots) × \(context) tokens "
                + "\(size(cacheBytes)), activations \(size(activationBytes)))"
            return "there is no room: \(needed) are needed, and \(size(limitBytes)) are to be had; "
                + (weightBytes < limitBytes ? "choose a shorter context or fewer slots" : "choose a smaller model")
        }
    }
}

extension ModelSpec {
    /// Whether a text of such a model cannot be read beside others: vectors stand in front of it, or its rotation goes by what
    /// was read before.
    var readsAlone: Bool {
        prefix > 0 || layers.contains { if case .dynamicSteps = $0.attention.rotary?.scaling { true } else { false } }
    }

    /// Whether what is in the cache for a token depends on the length of its text, so that another text cannot use it.
    var dependsOnLength: Bool {
        seesAhead
            || layers.contains {
                switch $0.attention.rotary?.scaling {
                case .dynamic, .dynamicSteps, .byLength: true
                default: false
                }
            }
    }
}

extension Double {
    /// With so many decimals.
    func fixed(_ decimals: Int) -> String {
        var (whole, scale) = (self, 1.0)
        for _ in 0..<decimals { scale *= 10 }
        whole = (self * scale).rounded()
        guard decimals > 0, abs(whole) < 1e15 else { return "\(Int(max(-1e15, min(1e15, self.rounded()))))" }
        let digits = "\(Int(abs(whole)))"
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return (whole < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }
}
