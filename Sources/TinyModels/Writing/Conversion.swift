import TinyLoader
import TinyTensor

/// A model in the other format: a Hugging Face folder as a GGUF file, or a GGUF file as a folder.
///
/// The recipes say what each format calls a tensor and what it does to it; here that is undone. What a GGUF file cannot say
/// of a folder it keeps under keys of its own, so that the way back gives the same tensors and files.
///
/// ```swift
/// let conversion = try Conversion(of: "SmolLM2-135M")
/// try conversion.write(to: "smollm2.gguf")
/// ```
public struct Conversion {
    /// What a user should know before the output is used.
    public let warnings: [String]
    private let inputs: [String]
    private let output: Output

    private enum Output {
        case gguf(GGUFPlan, [TensorOutput])
        case folder(FolderPlan)
    }

    /// - Parameters:
    ///   - path: a Hugging Face folder or a GGUF file.
    ///   - toGGUF: which of the two will be written.
    ///   - type: for a file any type, for a folder F32, F16 or BF16; as the tensors are, if nil.
    /// - Throws: `FormatError` where a file is bad, `ModelError` where the model is not supported or the format cannot say
    ///   what it is.
    public init(of path: String, toGGUF: Bool, type: QuantizationType? = nil, threads: Int? = nil) throws {
        let pool = ThreadPool(threadCount: max(1, threads ?? CPU.coreCount))
        let checkpoint = try Checkpoint(path: path)
        var found: [String] = []
        inputs = [path] + checkpoint.files
        switch checkpoint.format {
        case .gguf(let gguf) where !toGGUF:
            if let type, type.elementType.isQuantized {
                throw OutputError(
                    .notPossible, file: path,
                    "a folder holds F32, F16 or BF16, not \(type.rawValue); write a .gguf file")
            }
            let plan = try FolderPlan(gguf, checkpoint: checkpoint, type: type?.elementType, pool: pool)
            output = .folder(plan)
            warnings = plan.warnings
        case .folder where !toGGUF:
            throw OutputError(
                .notPossible, file: path, "is a folder already; the output of its conversion ends with .gguf")
        default:
            var plan: GGUFPlan
            if case .gguf(let gguf) = checkpoint.format {
                plan = try GGUFPlan(gguf)
            } else {
                plan = try GGUFPlan(folder: checkpoint, warnings: &found)
            }
            if let type {
                let (tensors, more) = try plan.quantize(to: type, importance: nil, pool: pool)
                output = .gguf(plan, tensors)
                warnings = found + more
            } else {
                output = .gguf(plan, plan.copies(pool: pool))
                warnings = found
            }
        }
    }

    /// Writes the output.
    ///
    /// - Parameters:
    ///   - path: which must not be there, unless `replacing` is true.
    ///   - progress: told every few megabytes.
    /// - Throws: `OutputError`, before anything is written if the output is there already or the disk has not enough room.
    @discardableResult
    public func write(
        to path: String, replacing: Bool = false, progress: ((WriteReport) -> Void)? = nil
    ) throws -> WrittenModel {
        switch output {
        case .gguf(let plan, let tensors):
            return try plan.write(tensors, to: path, replacing: replacing, inputs: inputs, progress: progress)
        case .folder(let plan):
            return try plan.write(to: path, replacing: replacing, inputs: inputs, progress: progress)
        }
    }
}

extension FolderPlan {
    fileprivate func write(
        to path: String, replacing: Bool, inputs: [String], progress: ((WriteReport) -> Void)?
    ) throws -> WrittenModel {
        let start = ContinuousClock.now
        let destination = try Destination(path, replaces: replacing, inputs: inputs)
        let writer = try SafetensorsWriter(tensors: tensors, path: path)
        let bytes = writer.byteCount + files.reduce(0) { $0 + $1.bytes.count }
        try destination.reserve(bytes)
        let folder = OutputFolder(destination)
        for (name, bytes) in files { try folder.add(name, bytes) }
        try writer.write(
            to: folder,
            WriteProgress(total: tensors.reduce(0) { $0 + $1.byteCount }) {
                progress?(WriteReport(tensor: $0, bytes: $1, totalBytes: $2))
            })
        try folder.publish()
        let time = start.duration(to: .now).components
        return WrittenModel(
            bytes: bytes, tensors: tensors.count,
            seconds: Double(time.seconds) + Double(time.attoseconds) * 1e-18)
    }
}
