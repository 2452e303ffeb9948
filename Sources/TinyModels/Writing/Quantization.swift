import TinyLoader
import TinyTensor

/// A model's weights in another element type, as a GGUF file.
///
/// Tensors are read, turned and written a few megabytes at a time by all threads, so that memory does not grow with the
/// model. The file is there once it is whole: a process that is killed leaves nothing.
///
/// ```swift
/// let quantization = try Quantization(of: "model-f16.gguf", to: .q4KMedium)
/// try quantization.write(to: "model-q4_k_m.gguf")
/// ```
public struct Quantization {
    /// What a user should know before the file is used.
    public let warnings: [String]
    private let plan: GGUFPlan
    private let tensors: [TensorOutput]
    private let inputs: [String]

    /// - Parameters:
    ///   - path: a GGUF file, or a Hugging Face folder, which is converted on the way.
    ///   - importance: a file of activation statistics, by which errors are weighed.
    ///   - threads: how many threads to use; the cores this process may use, if nil.
    /// - Throws: `FormatError` where a file is bad, `ModelError` where a folder cannot be converted.
    public init(of path: String, to type: QuantizationType, importance: String? = nil, threads: Int? = nil) throws {
        let pool = ThreadPool(threadCount: max(1, threads ?? CPU.coreCount))
        let checkpoint = try Checkpoint(path: path)
        inputs = [path] + checkpoint.files + [importance].compactMap(\.self)
        var plan: GGUFPlan
        var found: [String] = []
        switch checkpoint.format {
        case .gguf(let gguf): plan = try GGUFPlan(gguf)
        case .folder: plan = try GGUFPlan(folder: checkpoint, warnings: &found)
        }
        let importance = try importance.map { try Importance(path: $0) }
        let (tensors, warnings) = try plan.quantize(to: type, importance: importance, pool: pool)
        self.tensors = tensors
        self.warnings = found + warnings
        self.plan = plan
    }

    /// Writes the file.
    ///
    /// - Parameters:
    ///   - path: which must not be there, unless `replacing` is true.
    ///   - progress: told every few megabytes.
    /// - Throws: `OutputError`, before anything is written if the output is there already or the disk has not enough room.
    @discardableResult
    public func write(
        to path: String, replacing: Bool = false, progress: ((WriteReport) -> Void)? = nil
    ) throws -> WrittenModel {
        try plan.write(tensors, to: path, replacing: replacing, inputs: inputs, progress: progress)
    }
}

extension GGUFPlan {
    /// Writes tensors of this plan as a file.
    func write(
        _ tensors: [TensorOutput], to path: String, replacing: Bool, inputs: [String],
        progress: ((WriteReport) -> Void)?
    ) throws -> WrittenModel {
        let start = ContinuousClock.now
        let destination = try Destination(path, replaces: replacing, inputs: inputs)
        let writer = try GGUFWriter(metadata: metadata, tensors: tensors, alignment: alignment, path: path)
        try destination.reserve(writer.byteCount)
        let file = try OutputFile(path: destination.path, byteCount: writer.byteCount)
        try writer.writeHead(to: file)
        try check(file)
        try writer.writeTensors(
            to: file,
            WriteProgress(total: tensors.reduce(0) { $0 + $1.byteCount }) {
                progress?(WriteReport(tensor: $0, bytes: $1, totalBytes: $2))
            })
        try file.publish(replaces: replacing)
        let time = start.duration(to: .now).components
        return WrittenModel(
            bytes: writer.byteCount, tensors: tensors.count,
            seconds: Double(time.seconds) + Double(time.attoseconds) * 1e-18)
    }

    /// Reads the head back before hours are spent on the rest.
    private func check(_ file: OutputFile) throws {
        let read = try GGUF(file: file.mapped())
        guard read.index.tensors.count == tensors.count else {
            throw OutputError(
                .notPossible, file: file.path, "\(read.index.tensors.count) of \(tensors.count) tensors were read back")
        }
    }
}
