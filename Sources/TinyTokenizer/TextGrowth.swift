/// How many times as long as it was a text can become by what a file puts in place of its parts.
///
/// Each step may lengthen what the one before it made, so that a few hundred bytes of a file could ask for more memory
/// than there is.
struct TextGrowth {
    static let limit = 1000
    private var factor = 1.0

    /// Takes a step into account that puts `new` bytes in place of `old` or more.
    mutating func add(_ new: Int, for old: Int, _ section: FileSection, _ key: String) throws(TokenizerError) {
        factor *= max(1, Double(new) / Double(max(1, old)))
        if factor > Double(Self.limit) {
            throw section.error(
                key, "steps that together make a text more than \(Self.limit) times as long", "at most so much")
        }
    }
}
