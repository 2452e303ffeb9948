extension [Match] {
    /// A text that a language model continues with an answer from the passages: they stand in it, each with its file and
    /// lines, the best one last, as models heed best what they read last.
    public func prompt(for question: String) -> String {
        var text = "Answer the question in one sentence, from these passages only.\n\n"
        for match in reversed() {
            text += "[\(match.file), line \(match.passage.lines.lowerBound)]\n\(match.passage.text)\n\n"
        }
        return text + "Question: \(question)\nAnswer:"
    }
}
