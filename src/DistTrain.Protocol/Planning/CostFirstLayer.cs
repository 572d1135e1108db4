using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// Multiply-adds of the first layer's products, counted product by product as they are computed. N training rows, M test rows, d inputs, h outputs of
/// W x, E epochs, V evaluations of the test rows; r = min(N, d).
/// <list type="bullet">
/// <item>Backpropagation: 2 d h a training row and epoch (forward, weight gradient; nothing before it wants a signal), d h an evaluated row.</item>
/// <item>Gram form: N h a row and epoch, for its gradient is the signal itself, and N h an evaluated row; with clipping B² h more a step of B rows.</item>
/// <item>Basis form: 2 r h a row and epoch, r h an evaluated row.</item>
/// <item>Once: S₀ (N + M) d h; K up to its diagonal N (N + 1) d/2; M N d for the test rows' coordinates; the basis about
/// 2 N² d, none where d ≤ N; the expansion r d h (Gram: N d h), twice with momentum.</item>
/// </list>
/// </summary>
internal sealed record CostFirstLayer(double Rows, double TestRows, double Inputs, double Outputs, double Epochs)
{
    // Columns that the basis takes at a time; its products depend on it in lower order only.
    private const int Panel = 32;

    /// <summary>How often the test rows are evaluated.</summary>
    public double TestEvaluations { get; init; }

    /// <summary>Rows of a full step.</summary>
    public double BatchRows { get; init; }

    /// <summary>Whether clipping needs the norm of the whole gradient.</summary>
    public bool Clips { get; init; }

    /// <summary>Whether there is a velocity to expand.</summary>
    public bool HasVelocity { get; init; }

    /// <summary>Rows that pass forward in evaluations: the test rows each time, the training rows once.</summary>
    public double EvaluatedRows => Rows + (TestRows * TestEvaluations);

    /// <summary>Backpropagation over the whole run.</summary>
    public double Backprop => Inputs * Outputs * ((2 * Rows * Epochs) + EvaluatedRows);

    /// <summary>The Gram form's one-time work.</summary>
    public double GramOnce => (LowerTriangle * Inputs) + (TestRows * Rows * Inputs) + FirstOutputs + Expansion(Rows);

    /// <summary>The Gram form over the whole run.</summary>
    public double Gram => GramOnce + (Rows * Outputs * ((Rows * Epochs) + EvaluatedRows)) + (Epochs * ClippingPerEpoch);

    /// <summary>The basis form's one-time work.</summary>
    public double BasisOnce => Rows < Inputs
        ? BasisProducts(Rows, Inputs) + (TestRows * Rows * Inputs) + FirstOutputs + Expansion(Rows)
        : FirstOutputs;

    /// <summary>The basis form over the whole run.</summary>
    public double Basis => BasisOnce + (Math.Min(Rows, Inputs) * Outputs * ((2 * Rows * Epochs) + EvaluatedRows));

    /// <summary>What the Gram form could not do without: half of K and an expansion without velocity.</summary>
    public double GramLeast =>
        Gram - (LowerTriangle * Inputs) + (Rows * Rows * Inputs / 2) - Expansion(Rows) + (Rows * Inputs * Outputs);

    /// <summary>What the basis form could not do without: 2 N² d for the basis and an expansion without velocity.</summary>
    public double BasisLeast => Rows < Inputs
        ? Basis - BasisProducts(Rows, Inputs) + (2 * Rows * Rows * Inputs) - Expansion(Rows) + (Rows * Inputs * Outputs)
        : Basis;

    /// <summary>Clipping's ‖Xᵀ delta‖² of the Gram form, over an epoch's steps.</summary>
    public double ClippingPerEpoch
    {
        get
        {
            double whole = Math.Floor(Rows / BatchRows), rest = Rows - (whole * BatchRows);
            return Clips ? Outputs * ((whole * BatchRows * BatchRows) + (rest * rest)) : 0;
        }
    }

    /// <summary>Entries of K that are computed; the rest is mirrored.</summary>
    private double LowerTriangle => Rows * (Rows + 1) / 2;

    private double FirstOutputs => (Rows + TestRows) * Inputs * Outputs;

    /// <summary>The first layer of a run whose network starts with W x.</summary>
    public static CostFirstLayer Of(RunSettings settings, int trainRows, int testRows) =>
        new(trainRows, testRows, settings.Network.Inputs, ContributedSpec.OutputsOf(settings.Network.Layers[0]), settings.Training.Epochs)
        {
            TestEvaluations = testRows > 0 ? Evaluations(settings.Training.Epochs, settings.Training.EvaluateEvery) : 0,
            BatchRows = settings.Training.BatchSize,
            Clips = settings.Optimizer.ClipNorm is not null,
            HasVelocity = new Optimizer<float>(settings.Optimizer).StateCount > 0,
        };

    /// <summary>How often the test rows are evaluated: after every so many epochs, and after the last.</summary>
    public static double Evaluations(int epochs, int every) => Math.Ceiling((double)epochs / every);

    /// <summary>The form with fewer multiply-adds over the whole run, which <c>form: auto</c> takes. Several shares have the Gram form
    /// alone.</summary>
    public ContributionForm Cheaper(int shares) => shares > 1 || Gram <= Basis ? ContributionForm.Gram : ContributionForm.Basis;

    /// <summary>A form over the whole run.</summary>
    public double Of(ContributionForm form) => form == ContributionForm.Gram ? Gram : Basis;

    /// <summary>A form's one-time work.</summary>
    public double OnceOf(ContributionForm form) => form == ContributionForm.Gram ? GramOnce : BasisOnce;

    /// <summary>What a form could not do without.</summary>
    public double LeastOf(ContributionForm form) => form == ContributionForm.Gram ? GramLeast : BasisLeast;

    /// <summary>
    /// The blocked Householder reflections of N rows, none of them dropped: within a panel a row meets the j reflectors before it (2 j d + j², and j d for the
    /// triangle); each block meets the rows behind it, and when Q is formed those from its own on (2·32·d + 32² a row).
    /// </summary>
    private static double BasisProducts(double rows, double inputs)
    {
        double sum = 0;
        for (double first = 0; first < rows; first += Panel)
        {
            double width = Math.Min(Panel, rows - first), pairs = width * (width - 1) / 2;
            double squares = (width - 1) * width * ((2 * width) - 1) / 6;
            double blockRows = rows - first - width + (rows - first);
            sum += (3 * pairs * inputs) + squares + (blockRows * ((2 * width * inputs) + (width * width)));
        }

        return sum;
    }

    private double Expansion(double directions) => (HasVelocity ? 2 : 1) * directions * Inputs * Outputs;
}
