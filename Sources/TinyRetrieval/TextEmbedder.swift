/// What turns texts into vectors, for an index: a model, or whatever else does.
///
/// Vectors need not be of unit length; an index compares by angle.
public protocol TextEmbedder: Sendable {
    /// What the model is called, for people: an index remembers it, and errors name it.
    var name: String { get }
    /// The most tokens that a passage may have.
    var tokenLimit: Int { get }
    /// The tokens of a text, without those that frame every text.
    func tokenCount(of text: String) -> Int
    /// A vector for each text, all of one width.
    func vectors(of texts: [String], for use: TextUse) throws -> [[Float]]
}

/// What a text's vector is for: some models want other words in front of questions than in front of what answers them.
public enum TextUse: Sendable {
    case query
    case passage
}
