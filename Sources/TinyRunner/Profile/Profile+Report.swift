import CTinyKernels
import TinyTensor

extension Profile {
    /// What was recorded so far.
    public func report() -> ProfileReport {
        precondition(!isOpen, "a profile is reported in a section")
        let tick = recorder.secondsPerTick
        let tracks = (0..<recorder.threads).map { Array(recorder.entries(thread: $0)) }
        return ProfileReport(
            prompt: Self.section(0, tracks, tick: tick), decode: Self.section(1, tracks, tick: tick))
    }

    private static func section(_ section: Int32, _ tracks: [[tk_entry]], tick: Double) -> ProfileReport.Section {
        let tracks = tracks.map { $0.filter { $0.section == section } }
        let own = tracks.first ?? []
        func seconds(_ entries: [tk_entry], of span: tk_span) -> Double {
            entries.reduce(0) { $1.span == span ? $0 + Double($1.ticks) * tick : $0 }
        }
        let wall = seconds(own, of: TK_SPAN_SECTION)
        var kernels = Self.kernels(tracks, tick: tick)
        var between: [ProfileReport.Kernel] = []
        let numbers = Set(own.lazy.filter { $0.span == TK_SPAN_LAYER }.map(\.layer)).sorted()
        var layers = numbers.map { number in
            let parts = tracks.map { $0.filter { $0.layer == number } }
            let (kernels, wall) = (Self.kernels(parts, tick: tick), seconds(parts[0], of: TK_SPAN_LAYER))
            let passes = parts[0].reduce(0) { $1.span == TK_SPAN_LAYER ? $0 + $1.calls : $0 }
            between.append(Self.betweenKernels(passes, seconds: max(0, wall - kernels.seconds)))
            return ProfileReport.Layer(
                layer: Int(number), wallSeconds: wall, unexplainedSeconds: 0,
                kernels: Self.ordered(kernels + between.suffix(1)))
        }
        if !between.isEmpty {
            let passes = between.reduce(0) { $0 + Double($1.calls) }
            kernels = Self.ordered(kernels + [Self.betweenKernels(passes, seconds: between.seconds)])
        }
        let outside = Self.kernels(tracks.map { $0.filter { $0.layer < 0 } }, tick: tick)
        let rest = wall - layers.reduce(0) { $0 + $1.wallSeconds }
        layers.append(
            ProfileReport.Layer(
                layer: nil, wallSeconds: rest, unexplainedSeconds: max(0, rest - outside.seconds), kernels: outside))
        let threads = tracks.enumerated().map { thread, entries in
            let kernels = Self.kernels([entries], tick: tick)
            let busy = kernels.reduce(0) { $1.name == Self.name(TK_SPAN_WAITING) ? $0 : $0 + $1.seconds }
            return ProfileReport.Thread(
                thread: thread, busySeconds: busy, idleSeconds: max(0, wall - busy), kernels: kernels)
        }
        return ProfileReport.Section(
            wallSeconds: wall, unexplainedSeconds: max(0, wall - kernels.seconds),
            passes: Int(own.reduce(0) { $1.span == TK_SPAN_PASS ? $0 + $1.calls : $0 }.rounded()), kernels: kernels,
            layers: layers, threads: threads)
    }

    /// The calling thread's own steps inside layers, one call for each pass through a layer: choosing kernels, sharing out
    /// their work, and whatever else the system had it do.
    private static func betweenKernels(_ passes: Double, seconds: Double) -> ProfileReport.Kernel {
        ProfileReport.Kernel(
            name: "between kernels", calls: Int(passes.rounded()), seconds: seconds, waitingSeconds: 0, bytes: 0,
            operations: 0, use: .floats)
    }

    private static func ordered(_ kernels: [ProfileReport.Kernel]) -> [ProfileReport.Kernel] {
        kernels.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) }
    }

    /// Seconds are the first track's, all else is everybody's.
    private static func kernels(_ tracks: [[tk_entry]], tick: Double) -> [ProfileReport.Kernel] {
        struct Sum {
            var calls = 0.0, seconds = 0.0, waiting = 0.0, bytes = 0.0, operations = 0.0
            var use = MachineLimits.Use.floats
        }
        var sums: [String: Sum] = [:]
        for (track, entries) in tracks.enumerated() {
            for entry in entries where entry.span.rawValue < TK_SPAN_SECTION.rawValue {
                var sum = sums[name(entry)] ?? Sum(use: use(entry))
                sum.calls += entry.calls
                sum.bytes += entry.bytes
                sum.operations += entry.operations
                if track == 0 {
                    sum.seconds += Double(entry.ticks) * tick
                    sum.waiting += Double(entry.waiting) * tick
                }
                sums[name(entry)] = sum
            }
        }
        return ordered(
            sums.map { name, sum in
                ProfileReport.Kernel(
                    name: name, calls: Int(sum.calls.rounded()), seconds: sum.seconds, waitingSeconds: sum.waiting,
                    bytes: sum.bytes.rounded(), operations: sum.operations.rounded(), use: sum.use)
            })
    }

    private static func use(_ entry: tk_entry) -> MachineLimits.Use {
        switch entry.span {
        case TK_SPAN_TILES: .tiles
        case TK_SPAN_MATMUL: ElementType(entry.type)?.isQuantized == true ? .codes : .floats
        default: .floats
        }
    }

    static func name(_ entry: tk_entry) -> String {
        switch entry.span {
        case TK_SPAN_MATMUL, TK_SPAN_TILES:
            "matmul \(ElementType(entry.type)?.rawValue ?? "?") \(entry.columns)x\(entry.rows)"
        default: name(entry.span)
        }
    }

    static func name(_ span: tk_span) -> String {
        switch span {
        case TK_SPAN_ROUNDING: "rounding"
        case TK_SPAN_SCORES: "attention scores"
        case TK_SPAN_CACHE: "cache"
        case TK_SPAN_NORM: "norm"
        case TK_SPAN_ROTATION: "rotation"
        case TK_SPAN_ACTIVATION: "activation"
        case TK_SPAN_ADDITION: "addition"
        case TK_SPAN_SOFTMAX: "softmax"
        case TK_SPAN_CAP: "cap"
        case TK_SPAN_EMBEDDING: "embedding"
        case TK_SPAN_SAMPLING: "sampling"
        case TK_SPAN_TOKENIZER: "tokenizer"
        case TK_SPAN_WAITING: "waiting"
        case TK_SPAN_SECTION: "section"
        case TK_SPAN_PASS: "pass"
        case TK_SPAN_LAYER: "layer"
        default: "other"
        }
    }
}

extension [ProfileReport.Kernel] {
    fileprivate var seconds: Double { reduce(0) { $0 + $1.seconds } }
}

extension ElementType {
    fileprivate init?(_ kernelType: tk_type) {
        guard let type = Self.allCases.first(where: { $0.kernelType == kernelType }) else { return nil }
        self = type
    }
}
