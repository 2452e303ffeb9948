/// A part of a file, small enough for a model to make one vector of it.
public struct Passage: Equatable, Sendable {
    /// Lines of the file, counted from 1.
    public let lines: ClosedRange<Int>
    /// Where the text stands in the file.
    public let bytes: Range<Int>
    public let text: String
}

/// A passage that was found.
public struct Match: Equatable, Sendable {
    /// The file's path in the folder that was indexed, with `/` between its parts.
    public let file: String
    public let passage: Passage
    /// The cosine of the angle between the passage's vector and the query's: 1 where they point the same way.
    public let score: Float
}
