/// What was written.
public struct WrittenModel: Sendable {
    /// Of all files.
    public let bytes: Int
    public let tensors: Int
    public let seconds: Double
}

/// How far writing has come.
public struct WriteReport: Sendable {
    /// The tensor that is being written.
    public let tensor: String
    public let bytes: Int
    public let totalBytes: Int
}
