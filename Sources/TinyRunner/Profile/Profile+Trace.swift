import CTinyKernels
import TinyTensor

extension Profile {
    /// Writes what happened when as JSON that Perfetto and Chrome open: a track for each thread; sections, passes, layers and
    /// kernels in each other. Times are microseconds since the profile was made.
    ///
    /// The format: "Trace Event Format", Google 2016, the object form with complete events.
    ///
    /// - Parameter write: given the text part by part.
    /// - Returns: how many events there was no room for, so that they are missing.
    @discardableResult
    public func writeTrace(_ write: (String) throws -> Void) rethrows -> Int {
        precondition(!isOpen, "a profile is written in a section")
        let nanoseconds = recorder.secondsPerTick * 1e9
        var lost = 0
        try write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")
        try write("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":0,\"args\":{\"name\":\"tinygpt\"}}")
        for thread in 0..<recorder.threads {
            let name = thread == 0 ? "calling thread" : "worker \(thread)"
            try write(
                ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":\(thread),\"args\":{\"name\":\"\(name)\"}}"
            )
            try write(
                ",\n{\"name\":\"thread_sort_index\",\"ph\":\"M\",\"pid\":1,\"tid\":\(thread),\"args\":{\"sort_index\":\(thread)}}"
            )
            let (events, dropped) = recorder.events(thread: thread)
            lost += dropped
            let entries = recorder.entries(thread: thread)
            let labels = entries.map { Self.label($0) }
            var text = ""
            // What holds others comes before them.
            for event in events.sorted(by: { ($0.begin, $1.end) < ($1.begin, $0.end) }) {
                let entry = entries[Int(event.entry)]
                let begin = Int(Double(event.begin &- recorder.start) * nanoseconds)
                let end = max(begin, Int(Double(event.end &- recorder.start) * nanoseconds))
                text += ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":\(thread),\"ts\":\(microseconds(begin)),\"dur\":"
                text += "\(microseconds(end - begin)),\(labels[Int(event.entry)]),\"args\":{"
                text += "\"section\":\"\(entry.section == 0 ? "prompt" : "decode")\""
                if entry.layer >= 0 { text += ",\"layer\":\(entry.layer)" }
                if event.bytes > 0 { text += ",\"bytes\":\(Int(event.bytes)),\"flops\":\(Int(event.operations))" }
                text += "}}"
                if text.utf8.count > 1 << 16 {
                    try write(text)
                    text = ""
                }
            }
            try write(text)
        }
        try write("\n]}\n")
        return lost
    }

    private static func label(_ entry: tk_entry) -> String {
        let (name, category) =
            switch entry.span {
            case TK_SPAN_SECTION: (entry.section == 0 ? "prompt" : "decode", "section")
            case TK_SPAN_PASS: (entry.section == 0 ? "chunk" : "token", "pass")
            case TK_SPAN_LAYER: ("layer \(entry.layer)", "layer")
            case TK_SPAN_WAITING: (name(entry), "waiting")
            default: (name(entry), "kernel")
            }
        return "\"name\":\"\(name)\",\"cat\":\"\(category)\""
    }
}

/// With three digits behind the point.
private func microseconds(_ nanoseconds: Int) -> String {
    let rest = String(nanoseconds % 1000)
    return "\(nanoseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
}
